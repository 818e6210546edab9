"""What can go wrong in evaluation.

EvaluationError
└── DatasetError      a dataset isn't what its format requires
"""


class EvaluationError(Exception):
    """Anything that evaluation raises on purpose."""


class DatasetError(EvaluationError):
    """A dataset isn't what its format requires; the message says where."""

"""What can go wrong in evaluation.

EvaluationError
├── DatasetError      a dataset isn't what its format requires
└── LoadError         a server under load didn't answer
"""


class EvaluationError(Exception):
    """Anything that evaluation raises on purpose."""


class DatasetError(EvaluationError):
    """A dataset isn't what its format requires; the message says where."""


class LoadError(EvaluationError):
    """A server under load didn't answer."""

"""What can go wrong in evaluation.

EvaluationError
├── DatasetError         a dataset isn't what its format requires
├── ConfigurationError   a run can't be made as it was asked for
├── LoadError            a server under load didn't answer
└── TargetFailed         what is measured beside others can't be, or no further
"""


class EvaluationError(Exception):
    """Anything that evaluation raises on purpose."""


class DatasetError(EvaluationError):
    """A dataset isn't what its format requires; the message says where."""


class ConfigurationError(EvaluationError):
    """A run can't be made as it was asked for."""


class LoadError(EvaluationError):
    """A server under load didn't answer."""


class TargetFailed(EvaluationError):
    """What is measured beside others can't be, or no further; the message says why."""

"""The numbers a model computes with. Fewer bits are faster, and give other vectors."""

from enum import StrEnum


class Precision(StrEnum):
    """As it stands in a model's identity; what the weights have themselves is `NATIVE`."""

    NATIVE = ""
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    INT8 = "int8"


class Runtime(StrEnum):
    """What computes."""

    TORCH = "torch"
    OPENVINO = "openvino"


class Backend(StrEnum):
    """A runtime with a precision, as settings name it."""

    TORCH = "torch"
    TORCH_BF16 = "torch-bf16"
    TORCH_FP16 = "torch-fp16"
    OPENVINO = "openvino"
    OPENVINO_BF16 = "openvino-bf16"
    OPENVINO_INT8 = "openvino-int8"

    @property
    def runtime(self) -> Runtime:
        return Runtime(self.partition("-")[0])

    @property
    def precision(self) -> Precision:
        return _PRECISIONS[self.partition("-")[2]]


_PRECISIONS = {
    "": Precision.NATIVE,
    "bf16": Precision.BFLOAT16,
    "fp16": Precision.FLOAT16,
    "int8": Precision.INT8,
}

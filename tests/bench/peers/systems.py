"""The names that driver, preparation and measurement share: systems, instruction sets, files. Standard library only."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class System:
    label: str  # of its row
    artifact: str  # folder of what it loads, made by the step of prepare.py with the same name
    held: bool = True  # whether an environment variable can hold it to an instruction set
    requirements: str = ""  # NAME of the requirements-NAME.txt that it needs beside everybody's


SYSTEMS = {
    "pytorch": System("PyTorch FP32 (the original package)", "checkpoint"),
    "ort": System("ONNX Runtime FP32", "onnx", held=False),
    "openvino-f32": System("OpenVINO FP32", "openvino"),
    "openvino": System("OpenVINO, its default", "openvino"),
    "openvino-int8": System("OpenVINO INT8 (NNCF PTQ), the rest f32", "openvino-int8"),
    "openvino-int8-default": System("OpenVINO INT8 (NNCF PTQ), the rest its default", "openvino-int8"),
    "ort-dynamic": System("ONNX Runtime INT8 dynamic", "onnx-dynamic", held=False),
    "ort-static": System("ONNX Runtime INT8 static QDQ", "onnx-static", held=False),
    "litert": System("LiteRT FP32 (XNNPACK)", "litert", held=False, requirements="litert"),
    "litert-dynamic": System("LiteRT INT8 dynamic (XNNPACK)", "litert-dynamic", held=False, requirements="litert"),
    "executorch": System("ExecuTorch FP32 (XNNPACK)", "executorch", held=False, requirements="executorch"),
    "executorch-dynamic": System("ExecuTorch INT8 dynamic (XNNPACK)", "executorch-dynamic", held=False,
                                 requirements="executorch"),
}
# On demand: the second INT8 row of OpenVINO, whose default differs from f32 only on CPUs with bf16, and systems that
# need further downloads, whose models take long to make.
DEFAULT_SYSTEMS = [name for name, system in SYSTEMS.items()
                   if name != "openvino-int8-default" and not system.requirements]


def further_requirements(names):
    """NAME of every requirements-NAME.txt that these systems need beside everybody's, once each."""
    return list(dict.fromkeys(filter(None, (SYSTEMS[name].requirements for name in names))))


# Steps of prepare.py and what each needs, in an order in which they can run.
STEPS = {
    "checkpoint": [],
    "onnx": ["checkpoint"],
    "onnx-dynamic": ["checkpoint", "onnx"],
    "onnx-static": ["checkpoint", "onnx"],
    "openvino": ["checkpoint", "onnx"],
    "openvino-int8": ["checkpoint", "onnx", "openvino"],
    "litert": ["checkpoint"],
    "litert-dynamic": ["checkpoint", "litert"],
    "executorch": ["checkpoint"],
    "executorch-dynamic": ["checkpoint"],
}


@dataclasses.dataclass(frozen=True)
class InstructionSet:
    tier: str  # intsam's tier of it
    environment: dict  # what holds oneDNN (OpenVINO, PyTorch), and PyTorch's other two sources of kernels


def _instruction_set(tier, onednn, aten, mkl):
    return InstructionSet(
        tier, {"ONEDNN_MAX_CPU_ISA": onednn, "ATEN_CPU_CAPABILITY": aten, "MKL_ENABLE_INSTRUCTIONS": mkl})


# From the least to the most: intsam held to one of them may use no tier of a later one.
INSTRUCTION_SETS = {
    "avx2": _instruction_set("avx2", "AVX2", "avx2", "AVX2"),
    "avx2_vnni": _instruction_set("avxvnni", "AVX2_VNNI", "avx2", "AVX2"),
    "avx512_core_vnni": _instruction_set("avx512vnni", "AVX512_CORE_VNNI", "avx512", "AVX512"),
    "avx512_core_amx": _instruction_set("amx", "AVX512_CORE_AMX", "avx512", "AVX512"),
}

# Inside the folder of the step "checkpoint".
CHECKPOINT = "checkpoint.pth"
PHOTO = "photo.png"  # square, at the encoder's resolution: resizing it is no part of any figure
CALIBRATION = "calibration"  # folder of two other photos, as square
INPUTS = "inputs.npz"  # photo and calibration photos as SAM's encoder takes them, and their FP32 embeddings

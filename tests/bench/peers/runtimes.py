"""The systems behind one interface: encode(image) and decode(embedding, coords, labels), whose first result are the
masks, and everything mode. Each is imported where it is loaded, so that a process holds the one that it measures."""
import numpy

import models
import systems

POINTS_PER_SIDE = 32  # of everything mode's grid


def prompt(side, point=(0.5, 0.5)):
    """One foreground point in pixels and the padding point, as the exported decoder takes them."""
    coords = numpy.array([[[point[0] * side, point[1] * side], [0, 0]]], dtype=numpy.float32)
    return coords, numpy.array([[1, -1]], dtype=numpy.float32)


class PyTorch:
    def __init__(self, folder, threads):
        import original_sam
        import torch
        torch.set_num_threads(threads)
        self.torch, self.original_sam = torch, original_sam
        self.sam = original_sam.load(folder)

    def encode(self, image):
        with self.torch.inference_mode():
            return self.sam.image_encoder(self.torch.from_numpy(image)).numpy()

    def decode(self, embedding, coords, labels):
        coords, labels = coords[:, :1], labels[:, :1]  # the prompt encoder adds the padding point
        with self.torch.inference_mode():
            return self.original_sam.decode(self.sam, *map(self.torch.from_numpy, (embedding, coords, labels)))

    def everything(self, folder, image, model):
        """The original package's generator, its defaults but for the model's thresholds. Number of masks."""
        from PIL import Image
        from segment_anything import SamAutomaticMaskGenerator
        photo = numpy.array(Image.open(folder / "checkpoint" / systems.PHOTO).convert("RGB"))
        generator = SamAutomaticMaskGenerator(self.sam, points_per_side=POINTS_PER_SIDE,
                                              **models.EVERYTHING_THRESHOLDS.get(model, {}))
        return len(generator.generate(photo))


class Exported:
    """A system that runs the exported encoder and decoder."""

    def everything(self, folder, image, model):
        """The encoder, and the decoder for each point of the grid. Nobody has exported what comes after them, so
        masks are neither enlarged nor chosen here."""
        embedding = numpy.ascontiguousarray(self.encode(image))
        for row in range(POINTS_PER_SIDE):
            for column in range(POINTS_PER_SIDE):
                point = ((column + 0.5) / POINTS_PER_SIDE, (row + 0.5) / POINTS_PER_SIDE)
                self.decode(embedding, *prompt(image.shape[-1], point))
        return None


class OnnxRuntime(Exported):
    def __init__(self, folder, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.encoder, self.decoder = (
            onnxruntime.InferenceSession(folder / f"{part}.onnx", options, providers=["CPUExecutionProvider"])
            for part in ("encoder", "decoder"))

    def encode(self, image):
        return self.encoder.run(None, {"image": image})[0]

    def decode(self, embedding, coords, labels):
        return self.decoder.run(None, {"embedding": embedding, "coords": coords, "labels": labels})


class OpenVino(Exported):
    def __init__(self, folder, threads, precision):
        import openvino
        core = openvino.Core()
        settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": str(threads)}
        if precision:
            settings["INFERENCE_PRECISION_HINT"] = precision
        self.encoder, self.decoder = (core.compile_model(folder / f"{part}.xml", "CPU", settings)
                                      for part in ("encoder", "decoder"))
        self.precision = self.encoder.get_property("INFERENCE_PRECISION_HINT").get_type_name()

    def encode(self, image):
        return self.encoder({"image": image})[0]

    def decode(self, embedding, coords, labels):
        return self.decoder({"embedding": embedding, "coords": coords, "labels": labels})


class LiteRt(Exported):
    def __init__(self, folder, threads):
        from ai_edge_litert.interpreter import Interpreter
        self.encoder, self.decoder = (Interpreter(str(folder / f"{part}.tflite"), num_threads=threads)
                                      for part in ("encoder", "decoder"))
        for interpreter in (self.encoder, self.decoder):
            interpreter.allocate_tensors()

    @staticmethod
    def _run(interpreter, *arguments):
        """Inputs and outputs are numbered in their names, and listed in any order."""
        inputs, outputs = (sorted(details, key=lambda tensor: tensor["name"])
                           for details in (interpreter.get_input_details(), interpreter.get_output_details()))
        for tensor, argument in zip(inputs, arguments, strict=True):
            interpreter.set_tensor(tensor["index"], argument)
        interpreter.invoke()
        return [interpreter.get_tensor(tensor["index"]) for tensor in outputs]

    def encode(self, image):
        return self._run(self.encoder, image)[0]

    def decode(self, embedding, coords, labels):
        return self._run(self.decoder, embedding, coords, labels)


class ExecuTorch(Exported):
    def __init__(self, folder, threads):
        import torch
        from executorch.extension.pybindings import portable_lib
        from executorch.runtime import Runtime
        portable_lib._unsafe_reset_threadpool(threads)  # the only way from Python to say how many
        self.from_numpy = torch.from_numpy
        self.programs = [Runtime.get().load_program(folder / f"{part}.pte") for part in ("encoder", "decoder")]
        self.encoder, self.decoder = (program.load_method("forward") for program in self.programs)

    def encode(self, image):
        return self.encoder.execute([self.from_numpy(image)])[0].numpy()

    def decode(self, embedding, coords, labels):
        return self.decoder.execute([self.from_numpy(array) for array in (embedding, coords, labels)])


def load(system, folder, threads):
    folder = folder / systems.SYSTEMS[system].artifact
    if system.startswith("openvino"):
        return OpenVino(folder, threads, None if system in ("openvino", "openvino-int8-default") else "f32")
    return {"pytorch": PyTorch, "ort": OnnxRuntime, "litert": LiteRt, "executorch": ExecuTorch}[
        system.partition("-")[0]](folder, threads)

"""One step of preparation, in a process of its own because the quantizers keep gigabytes:
  prepare.py STEP FOLDER --model NAME [--seed N] [--checkpoint FILE]
makes FOLDER/STEP, and needs the folders of the steps before it. A folder is there when it is complete."""
import argparse
import json
import pathlib
import shutil
import sys

import numpy

import models
import runtimes
import systems

# The photo that is measured, and those that the quantizers see.
PHOTO = "astronaut.png"
CALIBRATION = ("chelsea.png", "coffee.png")
# Relative to the side of the image: foreground points on the calibration photos.
CALIBRATION_POINTS = ((0.5, 0.5), (0.25, 0.3), (0.7, 0.6), (0.4, 0.8))


class Prepared:
    """What the step "checkpoint" left for the others."""

    def __init__(self, folder):
        self.folder = folder
        self.inputs = dict(numpy.load(folder / "checkpoint" / systems.INPUTS))
        self.side = self.inputs["photo"].shape[-1]

    def encoder_samples(self):
        return [{"image": image[None]} for image in self.inputs["calibration"]]

    def decoder_samples(self):
        samples = []
        for embedding in self.inputs["calibration_embeddings"]:
            for point in CALIBRATION_POINTS:
                coords, labels = runtimes.prompt(self.side, point)
                samples.append({"embedding": embedding[None], "coords": coords, "labels": labels})
        return samples

    def samples(self, part):
        return self.encoder_samples() if part == "encoder" else self.decoder_samples()


def read_weights(path):
    if path.suffix == ".safetensors":
        import safetensors.torch
        return safetensors.torch.load_file(path)
    import torch
    return torch.load(path, weights_only=True, map_location="cpu")


def make_checkpoint(folder, out, options):
    import original_sam
    import torch
    config = models.config_of(options.model)
    sam = original_sam.build(config)
    checkpoint = options.checkpoint or (models.BUNDLED if options.model not in models.OFFICIAL else None)
    weights = read_weights(checkpoint) if checkpoint else original_sam.random_weights(sam, options.seed)
    original_sam.set_weights(sam, weights)
    torch.save(weights, out / systems.CHECKPOINT)
    (out / systems.CHECKPOINT).with_suffix(".json").write_text(json.dumps(config, indent=1) + "\n")

    photos = models.ROOT / "models" / "photos"
    (out / systems.CALIBRATION).mkdir()
    images = []
    for name in (PHOTO,) + CALIBRATION:
        photo = original_sam.square_photo(photos / name, config["image_size"])
        photo.save(out / systems.PHOTO if name == PHOTO else out / systems.CALIBRATION / name)
        images.append(original_sam.encoder_input(sam, photo))
    with torch.inference_mode():
        embeddings = [sam.image_encoder(image).numpy() for image in images]
    images = [image.numpy() for image in images]
    numpy.savez(out / systems.INPUTS, photo=images[0], photo_embedding=embeddings[0],
                calibration=numpy.concatenate(images[1:]), calibration_embeddings=numpy.concatenate(embeddings[1:]))


def parts(folder):
    """(name, module, arguments) of what exporters see: encoder and decoder of the original package."""
    import original_sam
    import torch
    sam = original_sam.load(folder / "checkpoint")
    inputs = Prepared(folder).inputs
    image, embedding = torch.from_numpy(inputs["photo"]), torch.from_numpy(inputs["photo_embedding"])
    coords, labels = map(torch.from_numpy, runtimes.prompt(image.shape[-1]))
    return (("encoder", sam.image_encoder.eval(), (image,)),
            ("decoder", original_sam.DecoderForExport(sam).eval(), (embedding, coords, labels)))


def check_decoder(folder, model):
    """The exported decoder is a rewriting of the package's: both must say the same."""
    import original_sam
    import torch
    prepared = Prepared(folder)
    embedding, (coords, labels) = prepared.inputs["photo_embedding"], runtimes.prompt(prepared.side)
    sam = original_sam.load(folder / "checkpoint")
    with torch.inference_mode():
        expected = original_sam.decode(sam, *map(torch.from_numpy, (embedding, coords[:, :1], labels[:, :1])))[0]
    found, expected = numpy.asarray(model.decode(embedding, coords, labels)[0]), expected.numpy()
    error = numpy.linalg.norm(found - expected) / numpy.linalg.norm(expected)
    if not error < 1e-3:
        raise SystemExit(f"prepare.py: the exported decoder differs from the original by {error:.2g} (relative L2)")


def make_onnx(folder, out, options):
    import torch
    names = {"encoder": (["image"], ["embedding"]), "decoder": (["embedding", "coords", "labels"], ["masks", "iou"])}
    with torch.inference_mode():
        for part, module, arguments in parts(folder):
            torch.onnx.export(module, arguments, out / f"{part}.onnx", input_names=names[part][0],
                              output_names=names[part][1], dynamo=True, external_data=True, optimize=True)
    check_decoder(folder, runtimes.OnnxRuntime(out, 1))


def make_onnx_dynamic(folder, out, options):
    from onnxruntime.quantization import quantize_dynamic
    for part in ("encoder", "decoder"):
        # MatMul alone: the CPU provider has no dynamic convolution with signed weights.
        quantize_dynamic(folder / "onnx" / f"{part}.onnx", out / f"{part}.onnx", op_types_to_quantize=["MatMul"],
                         per_channel=True, use_external_data_format=True)


def make_onnx_static(folder, out, options):
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self, samples):
            self.samples = iter(samples)

        def get_next(self):
            return next(self.samples, None)

    prepared = Prepared(folder)
    optimized = out / "optimized"
    for part in ("encoder", "decoder"):
        optimized.mkdir()
        quant_pre_process(folder / "onnx" / f"{part}.onnx", optimized / "model.onnx", skip_symbolic_shape=True,
                          save_as_external_data=True)
        # Products alone. By default, calibration keeps every tensor of the network until its end: 19 GB for ViT-B.
        quantize_static(optimized / "model.onnx", out / f"{part}.onnx", Reader(prepared.samples(part)),
                        op_types_to_quantize=["Conv", "ConvTranspose", "Gemm", "MatMul"], per_channel=True,
                        use_external_data_format=True)
        shutil.rmtree(optimized)


def make_openvino(folder, out, options):
    import openvino
    for part in ("encoder", "decoder"):
        model = openvino.convert_model(folder / "onnx" / f"{part}.onnx")
        openvino.save_model(model, out / f"{part}.xml", compress_to_fp16=False)


def make_openvino_int8(folder, out, options):
    import nncf
    import openvino
    prepared = Prepared(folder)
    for part in ("encoder", "decoder"):
        samples = prepared.samples(part)
        model = openvino.Core().read_model(folder / "openvino" / f"{part}.xml")
        quantized = nncf.quantize(model, nncf.Dataset(samples), subset_size=len(samples),
                                  model_type=nncf.ModelType.TRANSFORMER)
        openvino.save_model(quantized, out / f"{part}.xml", compress_to_fp16=False)


def make_litert(folder, out, options):
    import litert_torch
    import torch
    with torch.inference_mode():
        for part, module, arguments in parts(folder):
            litert_torch.convert(module, arguments).export(str(out / f"{part}.tflite"))
    check_decoder(folder, runtimes.LiteRt(out, 1))


def make_litert_dynamic(folder, out, options):
    from ai_edge_quantizer import qtyping, quantizer
    for part in ("encoder", "decoder"):
        model = quantizer.Quantizer(str(folder / "litert" / f"{part}.tflite"))
        # Layers with weights. The ready-made recipe also takes products whose left side is constant (relative
        # positions), which the interpreter then refuses.
        for operation in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D_TRANSPOSE"):
            model.add_dynamic_config(".*", qtyping.TFLOperationName[operation], num_bits=8)
        model.quantize().export_model(str(out / f"{part}.tflite"))


def save_executorch(path, exported, one_by_one):
    """one_by_one: each operation on its own for XNNPACK, where the partitioner cannot cut out larger pieces."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower
    lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner(per_op_mode=one_by_one)])
    path.write_bytes(lowered.to_executorch().buffer)


def make_executorch(folder, out, options):
    import torch
    with torch.no_grad():
        for part, module, arguments in parts(folder):
            # Pieces of the decoder would depend on each other in a circle.
            save_executorch(out / f"{part}.pte", torch.export.export(module, arguments), one_by_one=part == "decoder")
    check_decoder(folder, runtimes.ExecuTorch(out, 1))


def make_executorch_dynamic(folder, out, options):
    import torch
    from executorch.backends.xnnpack.quantizer import xnnpack_quantizer
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    config = xnnpack_quantizer.get_symmetric_quantization_config(is_per_channel=True, is_dynamic=True)
    with torch.no_grad():
        for part, module, arguments in parts(folder):
            quantizer = xnnpack_quantizer.XNNPACKQuantizer().set_global(config)
            prepared = prepare_pt2e(torch.export.export(module, arguments).module(), quantizer)
            prepared(*arguments)
            exported = torch.export.export(convert_pt2e(prepared), arguments)
            save_executorch(out / f"{part}.pte", exported, one_by_one=True)


MAKERS = {
    "checkpoint": make_checkpoint,
    "onnx": make_onnx,
    "onnx-dynamic": make_onnx_dynamic,
    "onnx-static": make_onnx_static,
    "openvino": make_openvino,
    "openvino-int8": make_openvino_int8,
    "litert": make_litert,
    "litert-dynamic": make_litert_dynamic,
    "executorch": make_executorch,
    "executorch-dynamic": make_executorch_dynamic,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=MAKERS)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--model", choices=models.NAMES, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoint", type=pathlib.Path)
    options = parser.parse_args()
    unfinished = options.folder / f"{options.step}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    MAKERS[options.step](options.folder, unfinished, options)
    unfinished.rename(options.folder / options.step)


if __name__ == "__main__":
    sys.exit(main())

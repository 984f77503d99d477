"""The command-line tools as users run them: results, exit codes, one line per error, nothing half-written.

tools_test.py --bin DIR --source DIR --tools NAME... [--model sam_tiny.isam] [--mobile-model sam_tiny_mobile.isam]
              [--part segment|models|photos] [--suffix .js] [--emulator WORDS] [--sanitized]
              [unittest options, such as -k PATTERN]

--emulator: what starts the tools, words separated by semicolons as in CMake. Without the convert tool committed models
take the place of those made here.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import tools_support

# Parts that ctest runs side by side. By name, not imported into one namespace, where classes of one name would hide each
# other.
PARTS = {
    "segment": ["tools_output_test", "tools_photos_test", "tools_results_test", "tools_segment_outputs_test",
                "tools_segment_prompts_test", "tools_segment_test", "tools_terminal_test", "tools_usage_test"],
    "models": ["tools_bad_files_test", "tools_bench_test", "tools_inspect_test", "tools_limits_test",
               "tools_mobile_test", "tools_quantization_test"],
    "photos": ["tools_batch_coco_test", "tools_batch_resume_test", "tools_batch_test", "tools_coco_test",
               "tools_everything_test"],
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, help="the bundled model, converted; its photo is skipped without")
    parser.add_argument("--mobile-model", type=pathlib.Path, help="the other bundled model, in the same way")
    parser.add_argument("--tools", nargs="+", required=True)
    parser.add_argument("--part", choices=PARTS, help="some of the tests (default: all)")
    parser.add_argument("--suffix", default="")
    parser.add_argument("--sanitized", action="store_true")
    parser.add_argument("--emulator", default="", type=lambda words: tuple(filter(None, words.split(";"))))
    options, rest = parser.parse_known_args()
    modules = PARTS[options.part] if options.part else sum(PARTS.values(), [])
    setup = tools_support.Setup
    setup.bin, setup.source, setup.tools = options.bin.resolve(), options.source.resolve(), options.tools
    setup.model = options.model and options.model.resolve()
    setup.mobile_model = options.mobile_model and options.mobile_model.resolve()
    setup.suffix, setup.emulator, setup.sanitized = options.suffix, options.emulator, options.sanitized
    with tempfile.TemporaryDirectory(prefix="intsam_tools_") as scratch:
        setup.scratch = pathlib.Path(scratch)
        for name, size in (("micro", "micro"), ("mobile", "micro_mobile")):
            model = setup.scratch / f"{name}.isam"
            if "convert" in setup.tools:
                synthetic = ("--synthetic", size, "--seed", "1", "-q", "-t", "1")
                subprocess.run(setup.command("convert", *synthetic, "-o", model), check=True)
            else:
                shutil.copy(setup.source / f"tests/golden/data/{name}.isam", model)
        unittest.main(module=None, argv=[sys.argv[0], *rest, *modules])


if __name__ == "__main__":
    main()

"""The exporter's self-test and a fake export like the committed one, under an interpreter that has PyTorch."""
import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77
TRANSFORMER = "mask_decoder.transformer."
FOLDED = [TRANSFORMER + name for name in ("layers.0.cross_attn_token_to_image", "layers.1.cross_attn_token_to_image",
                                          "final_attn_token_to_image")]


def interpreter():
    """The first interpreter that imports torch; None."""
    for python in (sys.executable, "python3", "/usr/bin/python3"):
        try:
            if subprocess.run([python, "-c", "import torch, numpy"], capture_output=True).returncode == 0:
                return python
        except OSError:
            pass
    return None


def main():
    root = pathlib.Path(sys.argv[1])
    python = interpreter()
    if python is None:
        print("SKIPPED: no torch")
        return SKIPPED
    os.environ["OMP_NUM_THREADS"] = "1"
    exporter = root / "converter" / "export_ptq4sam" / "export_ptq4sam.py"
    subprocess.run([python, "-B", exporter, "--self-test"], check=True)

    # Errors are one line, without a traceback.
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "text.pth").write_text("not a pickle")
        for pickle in ("text.pth", "nowhere.pth"):
            run = subprocess.run([python, "-B", exporter, "--pickle", folder / pickle, "--out", folder / "out"],
                                 capture_output=True, text=True)
            if run.returncode == 0 or run.stderr.count("\n") != 1 or pickle not in run.stderr:
                sys.exit("expected one line naming %s, found: %s" % (pickle, run.stderr))

        # The fake holds its forward pass against the original package's outputs before it writes anything.
        checkpoint = root / "tests" / "checkpoint" / "data"
        goldens = [root / "tests" / "reference" / "data" / ("micro_%s.safetensors" % photo)
                   for photo in ("astronaut", "chelsea")]
        subprocess.run([python, "-B", root / "tests" / "import" / "make_fake_ptq4sam.py",
                        "--checkpoint", checkpoint / "micro_f32.safetensors", "--config", checkpoint / "micro.json",
                        "--golden", *goldens, "--bits", "6", "--fold", *FOLDED, "--out", folder / "micro_w6a6"],
                       check=True, stdout=subprocess.DEVNULL)
        made, kept = ((where / "micro_w6a6.safetensors").read_bytes()
                      for where in (folder, root / "tests" / "import" / "data"))
        # Another PyTorch may round an observed extreme differently: the keys must be equal, the rest nearly.
        if len(made) != len(kept):
            sys.exit("the fake export has other keys than the committed one")
        same = sum(a == b for a, b in zip(made, kept)) / len(kept)
        print("fake export: %.4f of its bytes are as committed" % same)
        if same < 0.95:
            sys.exit("the fake export is another than the committed one")
    return 0


if __name__ == "__main__":
    sys.exit(main())

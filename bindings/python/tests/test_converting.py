"""intsam.convert: how it calls the program, and what it makes of the program's end. With one on PATH, a real conversion."""
import os
import pathlib
import shutil
import sys
import types

import pytest
from conftest import ROOT

import intsam

INSTALLED = shutil.which("intsam-convert") is not None


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Writes a program that stands for intsam-convert on PATH; it keeps its arguments in a file."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")

    def write(*lines):
        path = tmp_path / "intsam-convert"
        path.write_text("\n".join(("#!/bin/sh", f'printf "%s|" "$@" > "{tmp_path}/words"', *lines)))
        path.chmod(0o755)
        return tmp_path / "words"

    return write


@pytest.mark.skipif(os.name == "nt", reason="the program of these tests is a shell script")
class TestProgram:
    def test_missing(self, program, tmp_path):
        with pytest.raises(intsam.FileError, match="intsam-convert: is not on PATH"):
            intsam.convert("a.pth", tmp_path / "a.isam", calib=tmp_path)

    def test_the_package(self, program, tmp_path, monkeypatch):
        words = program()
        (tmp_path / "intsam-convert").rename(tmp_path / "elsewhere")
        package = types.SimpleNamespace(program=lambda: str(tmp_path / "elsewhere"))
        monkeypatch.setitem(sys.modules, "intsam_convert", package)
        intsam.convert("a.pth", "out.isam", calib="photos", quiet=True)
        assert words.read_text().endswith("|--|a.pth|")

    def test_arguments(self, program, tmp_path, capsys):
        words = program("echo calibrating >&2")
        made = intsam.convert("-a b.pth", "out.isam", calib="photos", bits="w6a6", options=["--seed", "1"])
        assert made == pathlib.Path("out.isam")
        assert words.read_text() == "--output|out.isam|--calib|photos|--bits|w6a6|--seed|1|--|-a b.pth|"
        assert "calibrating" in capsys.readouterr().err
        intsam.convert("a.pth", "out.isam", calib="photos", quiet=True)
        assert "--quiet" in words.read_text() and capsys.readouterr().err == ""

    @pytest.mark.parametrize(("status", "kind"), [(2, intsam.ArgumentError), (3, intsam.FileError), (4, intsam.DamagedError),
                                                  (5, intsam.UnsupportedError), (6, intsam.ResourceError),
                                                  (70, intsam.InternalError), (99, intsam.InternalError)])
    def test_errors(self, program, status, kind):
        program("echo working >&2", "echo 'intsam-convert: a.pth: the reason' >&2", f"exit {status}")
        with pytest.raises(kind, match=r"^a\.pth: the reason$"):
            intsam.convert("a.pth", "out.isam", calib="photos", quiet=True)

    def test_a_program_that_is_killed(self, program):
        program("kill -9 $$")
        with pytest.raises(intsam.InternalError, match="ended with -9"):
            intsam.convert("a.pth", "out.isam", calib="photos", quiet=True)


@pytest.mark.skipif(not INSTALLED, reason="no intsam-convert on PATH")
def test_a_real_conversion(tmp_path):
    pytest.importorskip("PIL")
    path = intsam.convert(ROOT / "models/sam_tiny.safetensors", tmp_path / "tiny.isam", calib=ROOT / "models/photos",
                          options=["--calib-limit", "1"], quiet=True)
    with intsam.Model(path) as model, intsam.Session(model) as session:
        model.verify()
        session.set_image(intsam.read_image(ROOT / "models/photos/astronaut.png"))
        assert session.predict([[200, 300]]).mask().any()
    with pytest.raises(intsam.FileError, match="absent"):
        intsam.convert(tmp_path / "absent.pth", tmp_path / "b.isam", calib=ROOT / "models/photos", quiet=True)
    assert not (tmp_path / "b.isam").exists()

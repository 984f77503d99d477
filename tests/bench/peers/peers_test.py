"""The comparison's own logic, without the peers: options, order of the samples, medians, table."""
import contextlib
import io
import json
import pathlib
import sys
import types
import unittest
import unittest.mock

import models
import peers
import report
import systems


class FakeRow:
    """Takes samples of given encoder seconds, and writes down when it was asked."""

    def __init__(self, label, seconds, log):
        self.label, self.model_mib, self.log = label, 2.5, log
        self.seconds = iter(seconds)

    def sample(self, threads):
        self.log.append((self.label, threads))
        seconds = next(self.seconds)
        if seconds is None:
            raise peers.Failure("no memory")
        return {"encoder_s": seconds, "decoder_s": seconds / 100, "peak_rss_mib": 100 + seconds,
                "cosine": 1 - seconds / 100}


def quietly(call, *arguments):
    with contextlib.redirect_stderr(io.StringIO()) as err:
        return call(*arguments), err.getvalue()


def interrupt():
    raise KeyboardInterrupt


class PeersTest(unittest.TestCase):
    def test_every_script_compiles(self):
        for path in peers.HERE.glob("*.py"):
            compile(path.read_text(), str(path), "exec")

    def test_bad_options_end_with_one_line_and_status_2(self):
        for words, named in (
                ("--threads 0", "--threads"), ("--threads 100000", "--threads"), ("--rounds 1.5", "--rounds"),
                ("--seed -1", "--seed"), ("--systems tvm", "tvm"), ("--model vit_g", "vit_g"),
                ("--model mobile", "mobile_sam"), ("--isa sse2", "sse2"),
                ("--profiles", "--profiles"), ("--checkpoint none.pth", "none.pth"),
                ("--json no/folder/x.json", "--json"), ("vit_b", "vit_b")):
            with self.subTest(words), contextlib.redirect_stderr(io.StringIO()) as err:
                with self.assertRaises(SystemExit) as exit_:
                    peers.parse_options(words.split())
                self.assertEqual(exit_.exception.code, 2)
                self.assertIn(named, err.getvalue().splitlines()[-1])

    def test_repeated_names_are_measured_once(self):
        options = peers.parse_options("--systems ort openvino ort --profiles w8a8 w8a8 --threads 1 1".split())
        self.assertEqual((options.systems, options.profiles, options.threads), (["ort", "openvino"], ["w8a8"], [1]))

    def test_every_system_loads_what_some_step_makes_from_steps_before_it(self):
        self.assertLessEqual({system.artifact for system in systems.SYSTEMS.values()}, set(systems.STEPS))
        order = list(systems.STEPS)
        for step, needed in systems.STEPS.items():
            self.assertTrue(all(order.index(name) < order.index(step) for name in needed), step)

    def test_further_requirements_have_their_file_and_are_of_systems_on_demand(self):
        for name, system in systems.SYSTEMS.items():
            if system.requirements:
                self.assertTrue((peers.HERE / f"requirements-{system.requirements}.txt").is_file(), name)
                self.assertNotIn(name, systems.DEFAULT_SYSTEMS)
        with contextlib.redirect_stdout(io.StringIO()) as out, unittest.mock.patch.object(
                sys, "argv", "peers.py --list-requirements --systems litert-dynamic ort litert executorch".split()):
            self.assertEqual(peers.main(), 0)
        self.assertEqual(out.getvalue().split(), ["litert", "executorch"])

    def test_an_instruction_set_excludes_the_tiers_above_it(self):
        kernels = '{"kernels": [%s]}' % ", ".join(
            f'{{"tier": "{tier}", "supported": {supported}}}'
            for tier, supported in (("amx", "false"), ("avx512vnni", "true"), ("avx2", "true"), ("scalar", "true")))
        original = peers.run
        self.addCleanup(setattr, peers, "run", original)
        peers.run = lambda command: kernels
        for isa, all_tiers, expected in (
                (None, False, ["avx512vnni"]), ("avx2_vnni", False, ["avx2"]), ("avx2", True, ["avx2"]),
                ("avx512_core_amx", False, ["avx512vnni"])):
            self.assertEqual(peers.intsam_tiers(types.SimpleNamespace(isa=isa, tiers=all_tiers)), expected)

    def test_every_model_has_the_fields_of_a_sidecar(self):
        bundled = json.loads((models.ROOT / "models" / "sam_tiny.json").read_text())
        mobile = json.loads((models.ROOT / "models" / "sam_tiny_mobile.json").read_text())
        for name in models.NAMES:
            config = models.config_of(name)
            self.assertEqual(set(config), set(mobile if "image_encoder" in config else bundled), name)
        self.assertEqual(models.config_of("mobile_sam")["embed_dims"], [64, 128, 160, 320])

    def test_random_statistics_of_a_batch_norm_are_lively(self):
        module = "image_encoder.layers.0.blocks.0.conv1."
        drawn = {name: models.moments(module + name, (256,))
                 for name in ("bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")}
        self.assertTrue(all(deviation >= 0.2 for _, deviation in drawn.values()), drawn)
        self.assertEqual([drawn["bn.running_mean"][0], drawn["bn.running_var"][0]], [0, 1])
        self.assertEqual(models.moments(module + "c.weight", (256, 64, 1, 1)), (0, 1 / 8))
        self.assertEqual(models.moments("image_encoder.blocks.0.norm1.bias", (256,)), (0, 0.02))
        self.assertEqual(models.moments("image_encoder.layers.1.blocks.0.attn.attention_biases", (4, 49))[0], 0)

    def test_a_float_reference_that_is_not_the_originals_is_a_failure(self):
        for name in ("prepare", "run", "python"):
            self.addCleanup(setattr, peers, name, getattr(peers, name))
        commands = []
        peers.prepare = lambda step, folder, options: self.assertEqual(step, "checkpoint")
        peers.run = lambda command, stdout: (commands.append(command), stdout.write(b"x"))
        for error, fails in ((1e-6, False), (1e-3, False), (1.1e-3, True), (float("nan"), True)):
            peers.python = lambda script, system, *rest: json.dumps({"relative_l2": error})
            check = lambda: peers.check_float_reference(pathlib.Path("folder"), None)
            with self.subTest(error):
                if fails:
                    self.assertRaises(peers.Failure, quietly, check)
                else:
                    self.assertEqual(quietly(check)[0], error)
        self.assertEqual([path.name for path in commands[0]], ["float_embedding", "checkpoint.pth", "photo.png"])

    def test_rounds_interleave_the_systems_and_a_failed_one_is_left_out(self):
        log, failures = [], []
        rows = [FakeRow("a", [1, 2, 3, 4], log), FakeRow("b", [5, None], log)]
        options = types.SimpleNamespace(rounds=2, threads=[1, 2])
        samples, said = quietly(peers.take_samples, rows, options, failures)
        self.assertEqual(log, [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 1), ("a", 2)])
        self.assertEqual(failures, ["b: no memory"])
        self.assertIn("b: no memory", said)
        self.assertEqual(list(samples), rows[:1])

    def test_an_interrupt_keeps_the_systems_that_have_every_sample(self):
        failures = []
        rows = [FakeRow("a", [1, 2], []), FakeRow("b", [3], [])]
        rows[1].sample = lambda threads, take=rows[1].sample: interrupt() if threads == 2 else take(threads)
        options = types.SimpleNamespace(rounds=1, threads=[1, 2])
        samples, _ = quietly(peers.take_samples, rows, options, failures)
        self.assertEqual(failures, ["interrupted"])
        self.assertEqual(list(samples), rows[:1])

    def test_the_table_has_medians_the_most_memory_and_the_least_cosine(self):
        options = types.SimpleNamespace(rounds=3, threads=[1, 2])
        row = FakeRow("x, its default", [3, 10, 1, 20, 2, 30], [])
        samples, _ = quietly(peers.take_samples, [row], options, [])
        result = peers.summary(row, samples[row])
        result["precision"] = "bf16"
        machine = {"model": "tiny", "weights": "bundled", "cpu": "C", "flags": ["avx2"], "cores": 2, "load_before": 0,
                   "date": "2000-01-01", "rounds": 3, "isa": "avx2", "everything": False,
                   "versions": {"torch": "1"}, "intsam": "intsam 0"}
        lines = report.table(machine, [result], options.threads).splitlines()
        self.assertEqual(
            lines[-1], "| x, its default (bf16 here) | 2.00 s | 20.0 s | 130 MiB | 2.5 MiB | 20.0 ms | 0.70000 |")
        self.assertEqual(lines[-1].count("|"), lines[-2].count("|"))
        self.assertEqual(lines[-1].count("|"), lines[-3].count("|"))
        self.assertIn("held to avx2", lines[0])

    def test_everything_mode_has_columns_of_its_own(self):
        samples = [{"everything_s": seconds, "peak_rss_mib": 80, "masks": 7} for seconds in (90, 70)]
        row = types.SimpleNamespace(label="x", model_mib=2.5)
        machine = {"model": "tiny", "weights": "bundled", "cpu": "C", "flags": [], "cores": 2, "load_before": 0,
                   "date": "2000-01-01", "rounds": 2, "isa": None, "everything": True, "versions": {},
                   "intsam": "intsam 0"}
        result = peers.summary(row, {1: samples})
        lines = report.table(machine, [result, result | {"masks": None}], [1]).splitlines()
        self.assertEqual(lines[-4], "| system | everything, 1 thread | peak RSS | masks |")
        self.assertEqual(lines[-2:], ["| x | 80.0 s | 80 MiB | 7 |", "| x | 80.0 s | 80 MiB | not made |"])
        self.assertEqual(report.sample_text(samples[0]), "everything 90.0 s, 80 MiB")

    def test_the_folder_of_artifacts_is_named_after_the_weights(self):
        names = {peers.artifacts_folder(types.SimpleNamespace(model="vit_b", checkpoint=checkpoint, seed=seed)).name
                 for checkpoint, seed in ((None, 1), (None, 2), (pathlib.Path(__file__), 1))}
        self.assertEqual(len(names), 3)


if __name__ == "__main__":
    unittest.main()

"""The cost model's own logic, without a compiler and without llvm-mca: which loops are innermost, what they multiply."""
import unittest

import arm_model
import loops


def function(*texts):
    return [(4 * i, text) for i, text in enumerate(texts)]


class LoopsTest(unittest.TestCase):
    def test_only_innermost_loops_are_found(self):
        found = loops.innermost(function(
            "mov\tw0, #0", "ldr\tq0, [x1]", "sdot\tv1.4s, v0.16b, v2.4b[0]", "b.ne\t4 <Tile+0x4>", "cbnz\tw0, 0 <Tile>",
            "b\t40 <Elsewhere>", "ret"))
        self.assertEqual([loop.body for loop in found],
                         [["ldr\tq0, [x1]", "sdot\tv1.4s, v0.16b, v2.4b[0]", "b.ne\t4 <Tile+0x4>"]])

    def test_branches_that_test_a_bit_are_loops_too(self):
        self.assertEqual(len(loops.innermost(function("nop", "tbz\tw0, #3, 0 <F>"))), 1)
        self.assertEqual(len(loops.innermost(function("nop", "b.eq\t8 <F>", "ret"))), 0)

    def test_products_of_an_instruction_are_the_lanes_of_its_result(self):
        for text, macs in (("smlal2\tv0.8h, v1.16b, v2.16b", 8), ("smull\tv0.4s, v1.4h, v2.4h", 4),
                           ("smlal\tv0.4s, v1.4h, v2.h[3]", 4), ("sdot\tv0.4s, v1.16b, v2.4b[1]", 16),
                           ("smmla\tv0.4s, v1.16b, v2.16b", 32), ("sadalp\tv0.4s, v1.8h", 0), ("ldr\tq0, [x1]", 0)):
            self.assertEqual(loops.macs(text), macs, text)

    def test_the_loop_with_the_most_products_is_the_kernels(self):
        tail, main = loops.Loop(["sdot\tv0.4s, v1.16b, v2.16b"]), loops.Loop(["sdot\tv0.4s, v1.16b, v2.16b"] * 4)
        found = {("gemm_dotprod.cc.o", "void intsam::Tile<6>(X)"): [tail, main], ("x.o", "Tile<6>"): [main]}
        self.assertIs(arm_model.find(found, "gemm_dotprod", "Tile<6>", lambda loop: loop.macs), main)
        for member, name in (("gemm_neon", "Tile<6>"), ("gemm_dotprod", "Tile<5>")):
            with self.assertRaises(LookupError):
                arm_model.find(found, member, name, lambda loop: loop.macs)

    def test_the_tiles_of_others_multiply_what_their_names_say(self):
        expected = {"ruy-style SDOT": 8 * 8 * 4, "XNNPACK-style": 4 * 16 * 16, "KleidiAI-style": 8 * 4 * 32,
                    "ruy-style SMULL": 4 * 4 * 16}
        for label, loop, _ in arm_model.OTHERS:
            [macs] = [macs for name, macs in expected.items() if label.startswith(name)]
            self.assertEqual(loop.macs, macs, label)


if __name__ == "__main__":
    unittest.main()

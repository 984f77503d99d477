"""Session: encodes an image, answers prompts on it."""
from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import errors
from ._binding import check, contiguous, ffi, lib, open_handle, text
from .everything import EverythingOptions, FoundMask
from .images import Pixels
from .mask import Mask
from .model import Model
from .numbers import integer_codes, real_numbers, whole_number, whole_numbers
from .prompts import PackedPrompts, Prompt
from .result import Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Called before each step: (step, steps, name). What it raises cancels the call and comes out of it.
Progress = Callable[[int, int, str], object]


class _Watch:
    """What the C library's callbacks reach: the caller's functions, and what they raised."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.found: Callable[[Any], None] | None = None
        self.raised: BaseException | None = None


def _keep_exception(kind: Any, error: BaseException, trace: Any) -> None:
    # What a callback below raised, a KeyboardInterrupt in its first line included.
    ffi.from_handle(trace.tb_frame.f_locals["user"]).raised = error


@ffi.def_extern(name="intsam_python_progress", error=1, onerror=_keep_exception)
def _progress(user: Any, step: int, steps: int, name: Any) -> int:
    progress = ffi.from_handle(user).progress
    if progress is not None:
        progress(step, steps, text(name))
    return 0


@ffi.def_extern(name="intsam_python_found", error=1, onerror=_keep_exception)
def _found(user: Any, found: Any, index: int, count: int) -> int:
    deliver = ffi.from_handle(user).found
    if deliver is not None:
        deliver(found)
    return 0


class Session:
    """Encodes one image at a time and answers prompts on it, with worker threads of its own.

    Results are bit-identical for every number of threads and on every CPU. A session is used by one thread at a time:
    give each thread a session of its own; they share the model. While a call runs, which is without Python's lock,
    another one on the same session raises ArgumentError and disturbs nothing. Ctrl-C ends a call of a session that was
    made in the main thread or has a progress function.

    After a fork a session works only in the process that made it; the child makes its own, from the same model.
    """

    def __init__(
        self, model: Model, *, threads: int = 0, isa: str | None = None, progress: Progress | None = None
    ) -> None:
        """
        model: may be closed afterwards.
        threads: 1 to 256; 0: the environment's INTSAM_THREADS, or one per CPU that this process may use.
        isa: kernel tier, such as "avx2" or "scalar"; None: INTSAM_ISA or the best that this CPU has.
        progress: called as progress(step, steps, name) before each step of set_image, predict and predict_batch, in
            the calling thread. It must not use the session. What it raises cancels the call and comes out of it.
        """
        self._pointer: Any = None
        if not isinstance(model, Model):
            raise errors.ArgumentError(f"model: an intsam.Model is needed, not {type(model).__name__}")
        if progress is not None and not callable(progress):
            raise errors.ArgumentError("progress: is no function")
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._generation = 0
        self._model = model
        self._watch = _Watch(progress)
        self._watch_handle = ffi.new_handle(self._watch)
        options = ffi.new("intsam_session_options*")
        lib.intsam_session_options_init(options)
        options.threads = whole_number("threads", threads)
        if isa is not None and (not isinstance(isa, str) or "\0" in isa):
            raise errors.ArgumentError(f"isa: {isa!r} is no name")
        tier = ffi.NULL if isa is None else ffi.new("char[]", isa.encode("utf-8", "backslashreplace"))
        options.isa = tier
        if progress is not None or threading.current_thread() is threading.main_thread():
            options.progress = lib.intsam_python_progress
            options.progress_user = self._watch_handle
        self._model_pointer: Any = model._open_pointer()
        pointer = open_handle("intsam_session", lib.intsam_session_create, self._model_pointer, options)
        process = self._process

        def destroy(handle: Any) -> None:
            # A forked child has none of the threads that this would wait for.
            if os.getpid() == process:
                lib.intsam_session_destroy(handle)

        self._pointer = ffi.gc(pointer, destroy)

    # ---- the session itself

    @property
    def model(self) -> Model:
        """The model that it was made from."""
        return self._model

    @property
    def closed(self) -> bool:
        """Whether close was called."""
        return self._pointer is None

    @property
    def isa(self) -> str:
        """The kernel tier in use, such as "avx2"."""
        with self._use() as pointer:
            return text(lib.intsam_session_isa(pointer))

    @property
    def threads(self) -> int:
        """How many threads it computes with."""
        with self._use() as pointer:
            return lib.intsam_session_threads(pointer)

    @property
    def memory(self) -> int:
        """Bytes that it holds, images excluded."""
        with self._use() as pointer:
            return lib.intsam_session_memory(pointer)

    def close(self) -> None:
        """Frees memory and threads. Any other call raises ArgumentError afterwards. Closing twice does nothing."""
        if self._pointer is None:
            return
        if self._process != os.getpid():
            self._pointer = None
            return
        with self._use() as pointer:
            self._generation += 1
            self._pointer = self._model_pointer = None
            ffi.release(pointer)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a session cannot be pickled or copied; pickle its model and make a session there")

    # ---- image

    def set_image(self, image: ArrayLike, image_format: str = "RGB") -> None:
        """Encodes an image: the slow part. Forgets image and results of before; after a failure there is none.

        image: uint8 [height, width, 3], [height, width, 4] (alpha last, ignored) or [height, width] (gray), in any
            memory order; 1 to 32768 pixels per side.
        image_format: "RGB" or "BGR", the order of the channels.
        """
        pixels = Pixels(image, image_format)
        with self._use() as pointer:
            self._generation += 1
            self._check(lib.intsam_session_set_image(pointer, pixels.struct))

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the image that was set or whose embedding or features were, None without one."""
        with self._use() as pointer:
            height, width = self._size(pointer)
            return (height, width) if height else None

    def check_image(self, image: ArrayLike, image_format: str = "RGB") -> None:
        """Raises ArgumentError unless `image` is the one that was set or whose embedding was loaded: of its size, and
        with the same pixels once resized. Keeps image and results. After set_features no pixels are known to compare."""
        pixels = Pixels(image, image_format)
        with self._use() as pointer:
            self._check(lib.intsam_session_check_image(pointer, pixels.struct))

    def embedding(self) -> np.ndarray:
        """The features of the image, float32 [embedding_channels, embedding_size, embedding_size]. Their cells cover
        the encoder's square input, so below or right of a photo that is not square is padding."""
        info = self._model.info
        with self._use() as pointer:
            codes = lib.intsam_session_embedding(pointer)
            if codes == ffi.NULL:
                raise errors.ArgumentError("no image is set")
            shape = (info.embedding_size, info.embedding_size, info.embedding_channels)
            features = np.frombuffer(ffi.buffer(codes, 2 * shape[0] * shape[1] * shape[2]), np.int16).reshape(shape)
            return np.ascontiguousarray((features * info.embedding_scale).astype(np.float32).transpose(2, 0, 1))

    def save_embedding(self) -> bytes:
        """The encoded image, to be loaded later by any session of the same model on any machine."""
        with self._use() as pointer:
            data = ffi.new("char[]", lib.intsam_session_embedding_size(pointer))
            self._check(lib.intsam_session_save_embedding(pointer, data, len(data)))
            return bytes(ffi.buffer(data))

    def load_embedding(self, data: bytes | bytearray | memoryview) -> None:
        """In the place of set_image: what save_embedding gave. Raises DamagedError for anything else and for another
        model's, UnsupportedError for another version; there is no image then."""
        view = ffi.from_buffer(contiguous("embedding", data))
        with self._use() as pointer:
            self._generation += 1
            self._check(lib.intsam_session_load_embedding(pointer, view, len(view)))

    def set_features(self, features: ArrayLike, size: Sequence[int]) -> None:
        """In the place of set_image: features as embedding gives them, of an image of `size`, height and width in pixels.

        For features that were kept as arrays, or come from an encoder elsewhere; values beyond the integers' range become
        the outermost. What save_embedding gives is safer: it knows its model and its image. check_image refuses every
        image afterwards.
        """
        info = self._model.info
        values = real_numbers("features", features)
        shape = (info.embedding_channels, info.embedding_size, info.embedding_size)
        if values.shape != shape:
            raise errors.ArgumentError(f"features: shape {values.shape}; {list(shape)} is needed")
        height, width = whole_numbers("size", size, 2)
        codes = integer_codes(values.transpose(1, 2, 0), info.embedding_scale)
        with self._use() as pointer:
            self._generation += 1
            self._check(lib.intsam_session_set_features(
                pointer, ffi.cast("int16_t*", codes.ctypes.data), width, height))

    # ---- prompts

    def mask_prompt(self, mask: ArrayLike) -> np.ndarray:
        """Makes a mask_input of a mask drawn over the image, bool or numbers [height, width] (0 is outside): float32
        [low_res_size, low_res_size], about +10 inside and -10 outside."""
        info = self._model.info
        drawn = np.asarray(mask)
        with self._use() as pointer:
            if drawn.ndim != 2 or drawn.shape != self._size(pointer):
                height, width = self._size(pointer)
                raise errors.ArgumentError(f"mask: shape {drawn.shape}; the image has [{height}, {width}]")
            inside = np.ascontiguousarray(drawn != 0).view(np.uint8)
            codes = np.empty((info.low_res_size, info.low_res_size), np.int16)
            self._check(lib.intsam_session_mask_prompt(
                pointer, ffi.cast("uint8_t*", inside.ctypes.data), drawn.shape[1],
                ffi.cast("int16_t*", codes.ctypes.data)))
        return (codes * info.low_res_scale).astype(np.float32)

    def predict(
        self,
        points: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        box: ArrayLike | None = None,
        mask_input: ArrayLike | None = None,
    ) -> Result:
        """Answers one prompt; the arguments are those of Prompt. Results of before are gone, after a failure, too."""
        [result] = self._predict([Prompt(points, labels, box, mask_input)], batch=False)
        return result

    def predict_batch(self, prompts: Sequence[Prompt]) -> list[Result]:
        """Answers 1 to 4096 prompts, each as predict does, with the same results; they are spread over the threads.

        A bad argument changes nothing, and the sentence names the prompt; otherwise results of before are gone.
        """
        return self._predict(list(prompts), batch=True)

    def _predict(self, prompts: list[Prompt], batch: bool) -> list[Result]:
        info = self._model.info
        packed = PackedPrompts(prompts, info.low_res_size, info.low_res_scale)
        with self._use() as pointer:
            if batch:
                status = lib.intsam_session_predict_batch(pointer, packed.structs, len(prompts))
            else:
                status = lib.intsam_session_predict(pointer, packed.structs)
            # Only a batch with a bad argument leaves the results of before.
            if not batch or status != lib.INTSAM_ERROR_ARGUMENT:
                self._generation += 1
            self._check(status)
            return [Result(self, pointer, self._generation, number, single_point)
                    for number, single_point in enumerate(packed.single_points)]

    def everything(
        self,
        image: ArrayLike | None = None,
        image_format: str = "RGB",
        *,
        segmentation: Callable[[Mask], Any] = Mask.pixels,
        options: EverythingOptions | None = None,
    ) -> list[FoundMask]:
        """Finds the masks of a whole image, best predicted IoU first, with crops smallest crop first.

        image, image_format: as for set_image, which this is, too; None: the image that the session has, which takes
            options without crops.
        segmentation: what is kept of each mask; called with a Mask that is only good during that call. Mask.pixels,
            Mask.run_lengths, Mask.rle, Mask.coco_rle, Mask.outlines or a function of yours, which must not use the
            session.

        The progress function is told how many points are answered, and of how many. There are no results afterwards.
        """
        pixels = None if image is None else Pixels(image, image_format)
        if options is not None and not isinstance(options, EverythingOptions):
            raise errors.ArgumentError(f"options: EverythingOptions are needed, not {type(options).__name__}")
        if not callable(segmentation):
            raise errors.ArgumentError("segmentation: is no function")
        packed = (options or EverythingOptions()).packed()
        masks: list[FoundMask] = []

        def found(record: Any) -> None:
            mask = Mask(record.mask)
            try:
                masks.append(FoundMask.of(record, mask, segmentation(mask)))
            finally:
                mask._end_of_loan()

        with self._use() as pointer:
            self._generation += 1
            self._watch.found = found
            try:
                self._check(lib.intsam_session_everything(
                    pointer, ffi.NULL if pixels is None else pixels.struct, packed, lib.intsam_python_found,
                    self._watch_handle))
            finally:
                self._watch.found = None
        return masks

    # ---- what every call needs

    @contextlib.contextmanager
    def _use(self) -> Iterator[Any]:
        """The pointer, while no other call has it."""
        if self._process != os.getpid():
            raise errors.ArgumentError(f"the session belongs to process {self._process}; make one after the fork")
        if not self._lock.acquire(blocking=False):
            raise errors.ArgumentError("the session is in use by another call; give each thread a session of its own")
        try:
            if self._pointer is None:
                raise errors.ArgumentError("the session is closed")
            yield self._pointer
        finally:
            self._lock.release()

    def _check(self, status: int) -> None:
        """Raises what a status says; what a callback raised goes first."""
        raised, self._watch.raised = self._watch.raised, None
        if raised is not None:
            raise raised
        if status != lib.INTSAM_OK:
            check(status, text(lib.intsam_session_error(self._pointer)))

    @staticmethod
    def _size(pointer: Any) -> tuple[int, int]:
        width, height = ffi.new("int32_t*"), ffi.new("int32_t*")
        lib.intsam_session_image_size(pointer, width, height)
        return height[0], width[0]

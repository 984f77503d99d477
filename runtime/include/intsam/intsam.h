/*
 * intsam: the Segment Anything Model on CPUs, in integers only.
 *
 * The whole flow:
 *
 *   intsam_model* model;                                  // immutable, may be shared by any number of sessions
 *   intsam_model_open("sam.isam", &model, error, sizeof error);
 *   intsam_session* session;                              // one per thread of yours
 *   intsam_session_create(model, NULL, &session, error, sizeof error);
 *
 *   intsam_image image = {pixels, width, height, stride, INTSAM_RGB};
 *   intsam_session_set_image(session, &image);            // slow: the image encoder, once per image
 *
 *   intsam_point point = {120 * 64, 80 * 64, 1};          // 1/64 pixel, foreground
 *   intsam_prompt prompt = {&point, 1, NULL, NULL};
 *   intsam_session_predict(session, &prompt);             // fast: prompt encoder and mask decoder
 *   int32_t best = intsam_session_best_mask(session, 0);  // of result 0, the only one that predict gives
 *   intsam_session_mask(session, 0, best, mask, width);   // one byte per pixel, 0 or 1
 *
 *   intsam_session_destroy(session);
 *   intsam_model_close(model);
 *
 * Results are bit-identical on every CPU, kernel tier and number of threads. There is no floating point in the library
 * and none in this header: coordinates are in 1/64 pixel, scores in Q15 (32768 = 1), logits and features in units that
 * intsam_model_get_info reports.
 *
 * Threads: a model may be used by many sessions at once. A session is used by one thread at a time; it runs its own
 * worker threads. Different sessions never synchronise with each other. While a call on a session runs, another one on
 * it (from its own progress callback, or from a second thread) is refused with INTSAM_ERROR_ARGUMENT and disturbs
 * nothing. Functions that only read a session are not allowed then either: they answer as if nothing had been predicted
 * and no image were set. intsam_session_error, intsam_session_isa and intsam_session_threads may be called always.
 * Ownership: every pointer that a call returns belongs to its handle; inputs are read during the call only.
 * Errors: every fallible call returns a status. The sentence that explains it is in the `error` buffer of calls that
 * create a handle, and in intsam_session_error otherwise. No call prints, aborts or throws. A NULL handle is refused
 * with INTSAM_ERROR_ARGUMENT; functions that return no status answer it with 0, NULL or "". INTSAM_ERROR_RESOURCE (no
 * memory, no more threads) is possible wherever a status is returned.
 * Structs: those that begin with `size` may grow at their end; the others never change. `size` is sizeof the struct as
 * the caller's header has it. A struct of an older, shorter header is taken, and what it lacks has its default value;
 * a longer one is taken if all bytes that this library does not know are zero.
 */
#ifndef INTSAM_H_
#define INTSAM_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define INTSAM_API
#else
#define INTSAM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define INTSAM_VERSION_MAJOR 0
#define INTSAM_VERSION_MINOR 1
#define INTSAM_VERSION_PATCH 0

/* The values are the exit codes of the command-line tools. */
typedef enum intsam_status {
  INTSAM_OK = 0,
  INTSAM_ERROR_ARGUMENT = 2,    /* a bad argument of the caller */
  INTSAM_ERROR_IO = 3,          /* cannot read a file */
  INTSAM_ERROR_DAMAGED = 4,     /* a damaged or hostile model or embedding */
  INTSAM_ERROR_UNSUPPORTED = 5, /* well formed, but not supported: a version, a size, a CPU */
  INTSAM_ERROR_RESOURCE = 6,    /* out of memory or over a limit */
  INTSAM_ERROR_INTERNAL = 70,   /* a bug in intsam: please report */
  INTSAM_CANCELLED = 130        /* the progress callback said stop */
} intsam_status;

typedef struct intsam_model intsam_model;
typedef struct intsam_session intsam_session;
typedef struct intsam_mask intsam_mask;

/* ------------------------------------------------------------------ library */

/* "0.1.0". All of this section may be called from any thread; the strings live as long as the library. */
INTSAM_API const char* intsam_version(void);
/* Name of kernel tier `index` built into this library, best first, or NULL past the last one ("avx2", "scalar"). */
INTSAM_API const char* intsam_isa_name(int32_t index);
/* 1 when this CPU can run that tier, else 0. */
INTSAM_API int32_t intsam_isa_supported(const char* name);

/* ------------------------------------------------------------------ model */

/* Maps a model file and validates all of it that can make a run go wrong. On success the caller owns *model, on failure
 * it is NULL. `error` (may be NULL) receives one line, cut to error_size bytes, "" on success. The file must not change
 * while the model is open: replace it by renaming another one over it.
 * ARGUMENT: a NULL pointer. IO: the file cannot be read. DAMAGED, UNSUPPORTED: the line names file, field and reason.
 */
INTSAM_API intsam_status intsam_model_open(const char* path, intsam_model** model, char* error, size_t error_size);
/* The same for bytes in memory, which are not copied: they must outlive the model and start at a multiple of 64. */
INTSAM_API intsam_status intsam_model_open_memory(const void* data, size_t size, intsam_model** model, char* error,
                                                  size_t error_size);
/* Every session of the model must have been destroyed. NULL is allowed. */
INTSAM_API void intsam_model_close(intsam_model* model);
/* Compares the SHA-256 of the tensor data with the file's own: reads the whole file. DAMAGED where they differ. May run
 * while sessions of the model do. */
INTSAM_API intsam_status intsam_model_verify(const intsam_model* model, char* error, size_t error_size);

typedef struct intsam_model_info {
  size_t size;            /* sizeof(intsam_model_info), set by the caller */
  int32_t image_size;     /* side of the encoder's input; photos are scaled so that their longest side is this */
  int32_t num_masks;      /* of one result: index 0 is the single-mask output, 1.. are the alternatives */
  int32_t low_res_size;   /* side of the low-resolution masks */
  int32_t logit_mantissa; /* a low-resolution logit is code * logit_mantissa * 2^-logit_shift */
  int32_t logit_shift;
  uint64_t file_bytes;
  const char* provenance; /* JSON text: source checkpoint, bits, method, calibration; owned by the model */
  size_t provenance_size;
  int32_t embedding_size;     /* side of the grid of features that the image encoder gives */
  int32_t embedding_channels; /* features per cell of the grid */
  int32_t embedding_mantissa; /* a feature is code * embedding_mantissa * 2^-embedding_shift */
  int32_t embedding_shift;
  int32_t has_encoder; /* 0: a decoder alone. It takes no images, but the embeddings that the whole model saved */
} intsam_model_info;

/* Writes the first info->size bytes and nothing beyond what this library knows; nothing at all where a pointer is NULL
 * or the size is 0. May be called from any thread. */
INTSAM_API void intsam_model_get_info(const intsam_model* model, intsam_model_info* info);

/* ------------------------------------------------------------------ session */

/* Called before each step of set_image and predict on the calling thread; a non-zero result cancels the call. In a
 * batch `step` is the number of prompts that are answered and `steps` the number of all. `name` lives as long as the
 * session. The callback must not call the session (see above), nor throw. */
typedef int32_t (*intsam_progress)(void* user, int32_t step, int32_t steps, const char* name);

/* Runs task(argument, index, worker) for every index below count and returns when all are done. `worker` must be below
 * intsam_executor.workers, and no two tasks may run on one worker at a time. */
typedef void (*intsam_task)(void* argument, int32_t index, int32_t worker);
typedef struct intsam_executor {
  void* user;
  int32_t workers; /* 1..256 */
  void (*run)(void* user, intsam_task task, void* argument, int32_t count);
} intsam_executor;

typedef struct intsam_session_options {
  size_t size;                     /* sizeof(intsam_session_options), set by intsam_session_options_init */
  int32_t threads;                 /* 1..256; 0: INTSAM_THREADS, or one per CPU that this process may use */
  const char* isa;                 /* kernel tier; NULL: INTSAM_ISA or the best this CPU supports */
  const intsam_executor* executor; /* NULL: the session's own threads; copied */
  intsam_progress progress;        /* may be NULL */
  void* progress_user;
} intsam_session_options;

/* All defaults: zeros behind the size. Compiled into the caller, whose struct may be older than the library. */
static inline void intsam_session_options_init(intsam_session_options* options) {
  const intsam_session_options defaults = {sizeof(intsam_session_options), 0, NULL, NULL, NULL, NULL};
  if (options != NULL) *options = defaults;
}

/* Allocates everything that images and single prompts will need (intsam_session_memory says how much); batches of
 * prompts take more. options may be NULL: the defaults. On success the caller owns *session, which must not outlive the
 * model; on failure it is NULL. `error` as for intsam_model_open. ARGUMENT: an option out of its range, or an
 * environment variable that stands for it. UNSUPPORTED: a tier that this library or this CPU lacks. */
INTSAM_API intsam_status intsam_session_create(const intsam_model* model, const intsam_session_options* options,
                                               intsam_session** session, char* error, size_t error_size);
/* No call on the session may be running. NULL is allowed. */
INTSAM_API void intsam_session_destroy(intsam_session* session);
/* The sentence of the last failed call on this session; "" if none failed since the last that succeeded. A call that was
 * refused because another one ran counts as later than that one, if that one succeeds. Valid until the next call. */
INTSAM_API const char* intsam_session_error(const intsam_session* session);
INTSAM_API const char* intsam_session_isa(const intsam_session* session);
INTSAM_API int32_t intsam_session_threads(const intsam_session* session);
/* Bytes that the session holds, images excluded. */
INTSAM_API uint64_t intsam_session_memory(const intsam_session* session);

/* ------------------------------------------------------------------ image */

typedef enum intsam_pixel_format {
  INTSAM_RGB = 0,
  INTSAM_BGR = 1,
  INTSAM_RGBA = 2,
  INTSAM_BGRA = 3,
  INTSAM_GRAY = 4
} intsam_pixel_format;

typedef struct intsam_image {
  const uint8_t* pixels; /* 8 bits per channel; alpha is ignored */
  int32_t width, height; /* 1..32768, and at most 3 * 2^29 bytes as RGB */
  size_t stride;         /* bytes from one row to the next */
  intsam_pixel_format format;
} intsam_image;

/* Resizes (bit-equal to Pillow's bilinear) and encodes. Forgets image and results of before; after a failure the
 * session has no image. ARGUMENT: a bad field of the image. RESOURCE: too many pixels. CANCELLED: by the callback.
 * UNSUPPORTED: the model has no image encoder. */
INTSAM_API intsam_status intsam_session_set_image(intsam_session* session, const intsam_image* image);

/* Size of the image that was set or whose embedding or features were; 0 x 0 without one. Either pointer may be NULL. */
INTSAM_API void intsam_session_image_size(const intsam_session* session, int32_t* width, int32_t* height);

/* OK when `image` is the one that was set or whose embedding was loaded: of its size, and with the same pixels once
 * resized. ARGUMENT when it is not, when its fields are bad, without an image, or when only features of it are known.
 * Keeps image and results. */
INTSAM_API intsam_status intsam_session_check_image(intsam_session* session, const intsam_image* image);

/* The features of the image, s16 [embedding_size][embedding_size][embedding_channels] of intsam_model_info; NULL
 * without an image. The cells cover the encoder's square input, so those right of or below a photo that is not square
 * are padding. Owned by the session, valid until the next set_image, load_embedding or set_features. */
INTSAM_API const int16_t* intsam_session_embedding(const intsam_session* session);

/* The encoded image as bytes, to be loaded later by any session of the same model on any machine. `size` must be what
 * intsam_session_embedding_size says (0 without an image), else ARGUMENT. */
INTSAM_API size_t intsam_session_embedding_size(const intsam_session* session);
INTSAM_API intsam_status intsam_session_save_embedding(intsam_session* session, void* data, size_t size);
/* In the place of set_image: forgets image and results of before; after a failure the session has no image. The bytes
 * are copied. DAMAGED: no saved embedding, or another model's. UNSUPPORTED: another version. */
INTSAM_API intsam_status intsam_session_load_embedding(intsam_session* session, const void* data, size_t size);

/* In the place of set_image: features as intsam_session_embedding gives them, which are copied, of an image of `width`
 * x `height` pixels. For features that were kept as plain arrays, or come from an encoder elsewhere; a saved embedding
 * is safer, since it knows its model and its image. Of an image whose features were set no pixels are known, so
 * intsam_session_check_image refuses them all. Forgets image and results of before; after a failure the session has no
 * image. ARGUMENT: `features` NULL, a side that no image has. RESOURCE: too many pixels. */
INTSAM_API intsam_status intsam_session_set_features(intsam_session* session, const int16_t* features, int32_t width,
                                                     int32_t height);

/* ------------------------------------------------------------------ prompt and masks */

typedef struct intsam_point {
  int32_t x, y;  /* 1/64 pixel of the original image, from the left and top edge; may lie outside, |x| < 2^21 */
  int32_t label; /* 1 foreground, 0 background */
} intsam_point;

typedef struct intsam_box {
  int32_t x0, y0, x1, y1; /* 1/64 pixel of the original image; x0 < x1, y0 < y1 */
} intsam_box;

/* One object: at least one of points, box and mask. All are copied before anything is written, so mask_input may be a
 * pointer that intsam_session_low_res gave. */
typedef struct intsam_prompt {
  const intsam_point* points; /* may be NULL when num_points is 0 */
  size_t num_points;          /* at most 256 */
  const intsam_box* box;      /* or NULL */
  const int16_t* mask_input;  /* low-resolution logits [low_res_size][low_res_size], or NULL: of an earlier result on
                                 this image, or made by intsam_session_mask_prompt */
} intsam_prompt;

/* Makes intsam_prompt.mask_input of a mask drawn at the size of the session's image: `mask` has one byte per pixel, 0
 * outside and anything else inside, and `stride` bytes from row to row; `logits` receives [low_res_size][low_res_size],
 * about +10 inside and -10 outside, and -10 where there is no photo. Each takes the pixel in its middle.
 * ARGUMENT: without an image, a NULL pointer, a stride below the width. */
INTSAM_API intsam_status intsam_session_mask_prompt(intsam_session* session, const uint8_t* mask, size_t stride,
                                                    int16_t* logits);

/* Answers one prompt: one result, number 0. Results stay valid until the next predict, predict_batch, set_image or
 * load_embedding or set_features; after a failure there are none. ARGUMENT: a bad prompt, or no image. RESOURCE: too
 * many points. CANCELLED: by the callback. */
INTSAM_API intsam_status intsam_session_predict(intsam_session* session, const intsam_prompt* prompt);

/* `count` prompts (1..4096), each answered as predict does, with the same results, numbered as the prompts are: they
 * are spread over the session's threads. A bad argument changes nothing, and the sentence names the prompt ("prompt 3:
 * ..."); after any other failure there are no results. The session keeps count * num_masks * low_res_size^2 * 2 bytes
 * of results (half a MiB per prompt for the official models) and, from the first batch of at least as many prompts as
 * threads (at most 8 count), working memory for each of these threads. Errors as for predict. */
INTSAM_API intsam_status intsam_session_predict_batch(intsam_session* session, const intsam_prompt* prompts,
                                                      size_t count);

/* How many results there are: of the last predict or predict_batch, 0 without one. In the calls below `result` is below
 * this and `mask` in 0..num_masks-1. */
INTSAM_API size_t intsam_session_num_results(const intsam_session* session);
/* Predicted IoU of a mask, Q15; it may slightly exceed 32768 or fall below 0. 0 for a bad index. */
INTSAM_API int32_t intsam_session_iou(const intsam_session* session, size_t result, int32_t mask);
/* Index of the best mask by predicted IoU among the alternatives (1..), as the original package picks for points. 0 for
 * a bad index. */
INTSAM_API int32_t intsam_session_best_mask(const intsam_session* session, size_t result);
/* s16 [low_res_size][low_res_size]; NULL for a bad index. Owned by the session, valid as long as the results. */
INTSAM_API const int16_t* intsam_session_low_res(const intsam_session* session, size_t result, int32_t mask);
/* A mask at the size of the original image: one byte per pixel, 0 or 1, `stride` bytes from row to row of `out`.
 * ARGUMENT: a bad index, `out` NULL, or a stride below a row; nothing is written then. */
INTSAM_API intsam_status intsam_session_mask(intsam_session* session, size_t result, int32_t mask, uint8_t* out,
                                             size_t stride);
/* The same as bits: first pixel in the lowest bit, rows padded to bytes with zeros. */
INTSAM_API intsam_status intsam_session_mask_bits(intsam_session* session, size_t result, int32_t mask, uint8_t* out,
                                                  size_t stride);

/* ------------------------------------------------------------------ masks as data */

/* What of the image a mask shows, in how many pixels, and how sure the model must be. */
typedef struct intsam_mask_options {
  size_t size;                         /* sizeof(intsam_mask_options), set by intsam_mask_options_init */
  int32_t x, y;                        /* left top pixel of a region of the image */
  int32_t region_width, region_height; /* its size in pixels of the image; 0: up to the right or bottom edge */
  int32_t width, height;               /* of the mask, 1..32768 each and at most 2^29 pixels; 0: as the region's */
  int32_t threshold_offset;            /* added to the model's threshold: logits in Q16 (65536 = 1), > 0: less inside */
} intsam_mask_options;

/* All defaults: the whole image, a pixel for each of its pixels, the model's own threshold. */
static inline void intsam_mask_options_init(intsam_mask_options* options) {
  const intsam_mask_options defaults = {sizeof(intsam_mask_options), 0, 0, 0, 0, 0, 0, 0};
  if (options != NULL) *options = defaults;
}

/* A mask as an object of its own, to be asked for anything below in any order: on success the caller owns *made, on
 * failure it is NULL. It depends neither on the session nor on later results. options may be NULL: the defaults. Each
 * pixel is decided by the logit at its middle, so a region at its own size is a piece of the whole mask, to the bit.
 * Takes memory and time in proportion to the outline: 4 bytes per row and 8 per run of pixels, of which a row has at
 * most image_size / 2. ARGUMENT: a bad index, a region that is not within the image, a bad size. RESOURCE: too many
 * pixels. */
INTSAM_API intsam_status intsam_session_make_mask(intsam_session* session, size_t result, int32_t mask,
                                                  const intsam_mask_options* options, intsam_mask** made);

/* Stability score as in the original package, Q16 (65536 = 1): of the pixels that are inside with the threshold lowered
 * by `offset` (logits in Q16, >= 0; the original takes 65536), the share that still are with it raised by as much; 0
 * where there are none. options as above. ARGUMENT: as above, a negative offset, `stability` NULL. */
INTSAM_API intsam_status intsam_session_stability(intsam_session* session, size_t result, int32_t mask,
                                                  const intsam_mask_options* options, int32_t offset,
                                                  int32_t* stability);

/* The functions of a mask have no sentence for an error: ARGUMENT is a NULL pointer, a stride below a row, or too
 * little room for a list, of which nothing is written then. A mask never changes and may be used by several threads at
 * once.
 */
INTSAM_API void intsam_mask_destroy(intsam_mask* mask);

typedef struct intsam_mask_info {
  size_t size;            /* sizeof(intsam_mask_info), set by the caller */
  int32_t width, height;  /* pixels */
  int32_t x0, y0, x1, y1; /* first and last column and row with a pixel inside: a mask of one pixel has x0 = x1; all 0
                             for an empty mask */
  int64_t area;           /* pixels inside */
  uint64_t memory;        /* bytes that the mask holds */
} intsam_mask_info;

/* Writes the first info->size bytes, as intsam_model_get_info does. */
INTSAM_API void intsam_mask_get_info(const intsam_mask* mask, intsam_mask_info* info);

/* One byte per pixel, 0 or 1, or one bit: as intsam_session_mask and intsam_session_mask_bits, `stride` bytes from row
 * to row. */
INTSAM_API intsam_status intsam_mask_pixels(const intsam_mask* mask, uint8_t* out, size_t stride);
INTSAM_API intsam_status intsam_mask_bits(const intsam_mask* mask, uint8_t* out, size_t stride);

/* COCO's run lengths: how many pixels are outside, inside, outside, ... in turn, down one column after the other. The
 * first counts pixels outside and may be 0. *count receives how many there are; `lengths` may be NULL to ask for that
 * only, else it must have room for them. */
INTSAM_API intsam_status intsam_mask_run_lengths(const intsam_mask* mask, uint32_t* lengths, size_t room,
                                                 size_t* count);
/* The same as pycocotools' compressed string, with a 0 behind it that `room` includes and *length does not. */
INTSAM_API intsam_status intsam_mask_coco_string(const intsam_mask* mask, char* text, size_t room, size_t* length);

/* Pixel (x, y) lies between the corners (x, y) and (x + 1, y + 1). */
typedef struct intsam_corner {
  int32_t x, y;
} intsam_corner;

/* A closed polygon along the edges of pixels, horizontally and vertically in turn, whose last corner is joined to its
 * first. Around a part of the mask it goes clockwise as seen on a screen (y down), around a hole the other way. */
typedef struct intsam_ring {
  size_t first, count; /* of its corners */
  size_t outer;        /* of a hole: index of the ring around the part that it lies in; else the ring's own index */
} intsam_ring;

/* The outlines. Pixels that share no more than a corner belong to different parts. *num_corners and *num_rings receive
 * how many there are; corners and rings may both be NULL to ask for that only, else both must have room. */
INTSAM_API intsam_status intsam_mask_outlines(const intsam_mask* mask, intsam_corner* corners, size_t corner_room,
                                              size_t* num_corners, intsam_ring* rings, size_t ring_room,
                                              size_t* num_rings);

/* ------------------------------------------------------------------ everything mode */

/* The arguments of the original package's automatic mask generator, with its names. Shares are in Q30: 2^30 = 1. */
typedef struct intsam_everything_options {
  size_t size;                    /* sizeof(intsam_everything_options), set by intsam_everything_options_init */
  int32_t points_per_side;        /* 1..1024: points of the grid along either side of the image */
  int32_t points_per_batch;       /* 1..4096: how many are answered at a time. Changes memory, not results */
  int32_t pred_iou_thresh;        /* Q30: masks whose predicted IoU is not above it go; 0: none does */
  int32_t stability_score_thresh; /* Q30: masks whose stability score is below it go; 0: none does */
  int32_t stability_score_offset; /* logits in Q16, >= 0, as for intsam_session_stability */
  int32_t box_nms_thresh;         /* Q30: of masks of one crop whose boxes' IoU is above it, the best stays */
  int32_t crop_n_layers;          /* 0..5: layer i takes 2^i x 2^i crops of the image, each of which is encoded */
  int32_t crop_nms_thresh;        /* Q30: as box_nms_thresh, between crops; the mask of the smaller crop stays */
  int32_t crop_overlap_ratio;     /* Q30, at most 1: of the image's shorter side; half as much in each further layer */
  int32_t crop_n_points_downscale_factor; /* 1..1024: the grid of layer i has points_per_side / factor^i, at least 1 */
  int32_t min_mask_region_area; /* pixels: smaller holes and islands of masks are filled and removed; 0: none is */
} intsam_everything_options;

/* The original's defaults: 32 points per side, 64 per batch, predicted IoU 0.88, stability 0.95 at offset 1, box IoU
 * 0.7 in a crop and between crops, no crops, overlap 512 / 1500, factor 1, regions left as they are. */
static inline void intsam_everything_options_init(intsam_everything_options* options) {
  /* Shares that must be exceeded are rounded up and those that must be reached down: so just 7 / 10 is not above 0.7.
   */
  const intsam_everything_options defaults = {sizeof(intsam_everything_options),
                                              32,
                                              64,
                                              944892805,
                                              1020054732,
                                              65536,
                                              751619277,
                                              0,
                                              751619277,
                                              366503876,
                                              1,
                                              0};
  if (options != NULL) *options = defaults;
}

/* A mask that everything mode found. May grow at its end, as the structs that begin with `size` do. */
typedef struct intsam_found_mask {
  size_t size;                                /* sizeof(intsam_found_mask) in this library */
  const intsam_mask* mask;                    /* of the whole image; valid during the call only */
  int32_t predicted_iou;                      /* Q15, as intsam_session_iou */
  int32_t stability;                          /* Q16, as intsam_session_stability */
  int32_t point_x, point_y;                   /* the prompt that gave it: 1/64 pixel of the image */
  int32_t crop_x0, crop_y0, crop_x1, crop_y1; /* in which crop: pixels x0 <= x < x1, y0 <= y < y1 */
} intsam_found_mask;

/* Called for each mask, index 0..count-1; a non-zero result cancels the call. It must not call the session (see above),
 * nor throw. */
typedef int32_t (*intsam_found)(void* user, const intsam_found_mask* found, int32_t index, int32_t count);

/* Finds the masks of a whole image, as the original package does: each point of a grid is a prompt, the alternatives of
 * each (masks 1..) are filtered by predicted IoU, stability score and, in crops, by boxes that end where the crop does;
 * of boxes that overlap much the best stays. `found` gets them when all are known: best predicted IoU first, with crops
 * smallest crop first, and with min_mask_region_area those left as they were first. Order and masks are the same on any
 * number of threads and for any batch. A crop of no pixels, of a very small image, is left out.
 * options may be NULL: the defaults. `image` becomes the session's image as by set_image; NULL stands for the image
 * that it has, which takes crop_n_layers 0. There are no results afterwards. The session's progress callback is told
 * how many points are answered and of how many. Takes points_per_batch * num_masks * low_res_size^2 * 2 bytes and, per
 * mask found, memory in proportion to its outline. ARGUMENT: a bad option or image, `found` NULL. RESOURCE: more than
 * 2^22 points in all crops. CANCELLED: by a callback. After a failure the session has no image, unless `image` is NULL
 * or `found` has been called. */
INTSAM_API intsam_status intsam_session_everything(intsam_session* session, const intsam_image* image,
                                                   const intsam_everything_options* options, intsam_found found,
                                                   void* user);

#ifdef __cplusplus
}
#endif

#endif /* INTSAM_H_ */

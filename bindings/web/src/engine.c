/* The C interface flattened for JavaScript: one model and one session per WebAssembly instance, numbers and addresses
 * only. engine.mjs is the one caller: it allocates, checks types and knows the layouts that are written here. */
#include <emscripten.h>
#include <intsam/intsam.h>
#include <stdlib.h>

static void* model_bytes;
static intsam_model* model;
static intsam_session* session;
static char open_error[512];

/* Answered by the module that engine.mjs makes; non-zero cancels. JavaScript, so clang-format leaves it alone. */
// clang-format off
EM_JS(int32_t, web_progress, (int32_t step, int32_t steps, const char* name), {
  return Module['onProgress'](step, steps, name);
});
EM_JS(int32_t, web_found,
      (const intsam_mask* mask, int32_t iou, int32_t stability, int32_t x, int32_t y, int32_t index, int32_t count),
      { return Module['onFound'](mask, iou, stability, x, y, index, count); });
// clang-format on

static int32_t OnProgress(void* user, int32_t step, int32_t steps, const char* name) {
  (void)user;
  return web_progress(step, steps, name);
}

static int32_t OnFound(void* user, const intsam_found_mask* found, int32_t index, int32_t count) {
  (void)user;
  return web_found(found->mask, found->predicted_iou, found->stability, found->point_x, found->point_y, index, count);
}

/* Memory that starts at a multiple of 64, as models must; NULL where there is none. */
EMSCRIPTEN_KEEPALIVE void* web_allocate(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }
EMSCRIPTEN_KEEPALIVE void web_free(void* memory) { free(memory); }

EMSCRIPTEN_KEEPALIVE const char* web_error(void) {
  return session != NULL ? intsam_session_error(session) : open_error;
}

EMSCRIPTEN_KEEPALIVE void web_close(void) {
  intsam_session_destroy(session);
  intsam_model_close(model);
  free(model_bytes);
  session = NULL;
  model = NULL;
  model_bytes = NULL;
}

/* Takes `bytes`, which web_allocate gave, whether it succeeds or not. isa: a kernel tier. */
EMSCRIPTEN_KEEPALIVE int32_t web_open(void* bytes, size_t size, int32_t threads, const char* isa) {
  intsam_session_options options;
  intsam_status status;
  web_close();
  model_bytes = bytes;
  status = intsam_model_open_memory(bytes, size, &model, open_error, sizeof open_error);
  if (status == INTSAM_OK) {
    intsam_session_options_init(&options);
    options.threads = threads;
    options.isa = isa;
    options.progress = OnProgress;
    status = intsam_session_create(model, &options, &session, open_error, sizeof open_error);
  }
  if (status != INTSAM_OK) web_close();
  return status;
}

/* {image size, masks of a result, side of low-resolution masks, mantissa and shift of their logits, threads,
   whether there is an image encoder} */
EMSCRIPTEN_KEEPALIVE void web_info(int32_t* out) {
  intsam_model_info info = {0};
  info.size = sizeof info;
  intsam_model_get_info(model, &info);
  out[0] = info.image_size;
  out[1] = info.num_masks;
  out[2] = info.low_res_size;
  out[3] = info.logit_mantissa;
  out[4] = info.logit_shift;
  out[5] = intsam_session_threads(session);
  out[6] = info.has_encoder;
}
EMSCRIPTEN_KEEPALIVE const char* web_tier(void) { return intsam_session_isa(session); }
EMSCRIPTEN_KEEPALIVE const char* web_version(void) { return intsam_version(); }

static intsam_image Rgba(const uint8_t* pixels, int32_t width, int32_t height) {
  intsam_image image = {pixels, width, height, (size_t)width * 4, INTSAM_RGBA};
  return image;
}

EMSCRIPTEN_KEEPALIVE int32_t web_set_image(const uint8_t* pixels, int32_t width, int32_t height) {
  const intsam_image image = Rgba(pixels, width, height);
  return intsam_session_set_image(session, &image);
}
EMSCRIPTEN_KEEPALIVE int32_t web_check_image(const uint8_t* pixels, int32_t width, int32_t height) {
  const intsam_image image = Rgba(pixels, width, height);
  return intsam_session_check_image(session, &image);
}
EMSCRIPTEN_KEEPALIVE void web_image_size(int32_t* out) { intsam_session_image_size(session, &out[0], &out[1]); }

EMSCRIPTEN_KEEPALIVE size_t web_embedding_size(void) { return intsam_session_embedding_size(session); }
EMSCRIPTEN_KEEPALIVE int32_t web_save_embedding(void* data, size_t size) {
  return intsam_session_save_embedding(session, data, size);
}
EMSCRIPTEN_KEEPALIVE int32_t web_load_embedding(const void* data, size_t size) {
  return intsam_session_load_embedding(session, data, size);
}

/* points: {x, y, label} each, in 1/64 pixel; box: {x0, y0, x1, y1} or NULL; logits: low-resolution mask or NULL */
EMSCRIPTEN_KEEPALIVE int32_t web_predict(const intsam_point* points, size_t num_points, const intsam_box* box,
                                         const int16_t* logits) {
  const intsam_prompt prompt = {points, num_points, box, logits};
  return intsam_session_predict(session, &prompt);
}
EMSCRIPTEN_KEEPALIVE int32_t web_best(void) { return intsam_session_best_mask(session, 0); }
EMSCRIPTEN_KEEPALIVE int32_t web_iou(int32_t mask) { return intsam_session_iou(session, 0, mask); }
EMSCRIPTEN_KEEPALIVE const int16_t* web_low_res(int32_t mask) { return intsam_session_low_res(session, 0, mask); }

/* Mask `index` of the last result at the size asked for; 0 x 0: the photo's. *made is to be destroyed. */
EMSCRIPTEN_KEEPALIVE int32_t web_make_mask(int32_t index, int32_t width, int32_t height, intsam_mask** made) {
  intsam_mask_options options;
  intsam_mask_options_init(&options);
  options.width = width;
  options.height = height;
  return intsam_session_make_mask(session, 0, index, &options, made);
}
EMSCRIPTEN_KEEPALIVE void web_mask_destroy(intsam_mask* mask) { intsam_mask_destroy(mask); }

/* {width, height, x0, y0, x1, y1, area}; a mask has at most 2^29 pixels */
EMSCRIPTEN_KEEPALIVE void web_mask_info(const intsam_mask* mask, int32_t* out) {
  intsam_mask_info info = {0};
  info.size = sizeof info;
  intsam_mask_get_info(mask, &info);
  out[0] = info.width;
  out[1] = info.height;
  out[2] = info.x0;
  out[3] = info.y0;
  out[4] = info.x1;
  out[5] = info.y1;
  out[6] = (int32_t)info.area;
}
EMSCRIPTEN_KEEPALIVE int32_t web_mask_pixels(const intsam_mask* mask, uint8_t* out, size_t stride) {
  return intsam_mask_pixels(mask, out, stride);
}
EMSCRIPTEN_KEEPALIVE int32_t web_mask_coco_string(const intsam_mask* mask, char* text, size_t room, size_t* length) {
  return intsam_mask_coco_string(mask, text, room, length);
}
EMSCRIPTEN_KEEPALIVE int32_t web_mask_outlines(const intsam_mask* mask, intsam_corner* corners, size_t corner_room,
                                               size_t* num_corners, intsam_ring* rings, size_t ring_room,
                                               size_t* num_rings) {
  return intsam_mask_outlines(mask, corners, corner_room, num_corners, rings, ring_room, num_rings);
}

/* settings: the fields of intsam_everything_options behind `size`, in their order; of the image that the session has */
EMSCRIPTEN_KEEPALIVE int32_t web_everything(const int32_t* settings) {
  const intsam_everything_options options = {
      sizeof(intsam_everything_options), settings[0], settings[1], settings[2], settings[3], settings[4], settings[5],
      settings[6],                       settings[7], settings[8], settings[9], settings[10]};
  return intsam_session_everything(session, NULL, &options, OnFound, NULL);
}
EMSCRIPTEN_KEEPALIVE void web_everything_defaults(int32_t* out) {
  intsam_everything_options options;
  intsam_everything_options_init(&options);
  out[0] = options.points_per_side;
  out[1] = options.points_per_batch;
  out[2] = options.pred_iou_thresh;
  out[3] = options.stability_score_thresh;
  out[4] = options.stability_score_offset;
  out[5] = options.box_nms_thresh;
  out[6] = options.crop_n_layers;
  out[7] = options.crop_nms_thresh;
  out[8] = options.crop_overlap_ratio;
  out[9] = options.crop_n_points_downscale_factor;
  out[10] = options.min_mask_region_area;
}

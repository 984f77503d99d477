/* The native half of Native.java. Failures become exceptions with the library's own sentence; sizes of arrays are
 * checked here, everything else by the library. */
#include <intsam/intsam.h>
#include <jni.h>
#include <stdlib.h>
#include <string.h>

/* A session, and what its callbacks need while a call runs. */
typedef struct Engine {
  intsam_session* session;
  JNIEnv* env;
  jobject progress; /* Progress, or NULL */
  jobject found;    /* Native.Found */
} Engine;

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_org_intsam_Native_##name
#define MAX_MASK_PIXELS ((size_t)1 << 29)

/* ---------------------------------------------------------------- handles and exceptions */

static jlong HandleOf(const void* pointer) {
  jlong handle = 0;
  memcpy(&handle, &pointer, sizeof pointer);
  return handle;
}

static void* PointerOf(jlong handle) {
  void* pointer;
  memcpy(&pointer, &handle, sizeof pointer);
  return pointer;
}

static void ThrowNew(JNIEnv* env, const char* name, const char* sentence) {
  jclass type = (*env)->FindClass(env, name);
  if (type != NULL) (*env)->ThrowNew(env, type, sentence);
}

/* An exception that a callback threw stays the one. */
static void Throw(JNIEnv* env, intsam_status status, const char* sentence) {
  if ((*env)->ExceptionCheck(env)) return;
  if (status == INTSAM_ERROR_ARGUMENT) {
    ThrowNew(env, "java/lang/IllegalArgumentException", sentence);
  } else if (status == INTSAM_CANCELLED) {
    ThrowNew(env, "java/util/concurrent/CancellationException", sentence);
  } else {
    jclass type = (*env)->FindClass(env, "org/intsam/IntsamException");
    jmethodID make = type == NULL ? NULL : (*env)->GetMethodID(env, type, "<init>", "(ILjava/lang/String;)V");
    jstring text = make == NULL ? NULL : (*env)->NewStringUTF(env, sentence);
    jobject exception = text == NULL ? NULL : (*env)->NewObject(env, type, make, (jint)status, text);
    if (exception != NULL) (*env)->Throw(env, (jthrowable)exception);
  }
}

static void ThrowNoMemory(JNIEnv* env) { Throw(env, INTSAM_ERROR_RESOURCE, "out of memory"); }

/* NULL, with an exception, for a closed object. */
static void* Open(JNIEnv* env, jlong handle) {
  if (handle == 0) ThrowNew(env, "java/lang/IllegalStateException", "closed");
  return PointerOf(handle);
}

static int IsGiven(JNIEnv* env, jobject array, const char* sentence) {
  if (array == NULL) Throw(env, INTSAM_ERROR_ARGUMENT, sentence);
  return array != NULL;
}

static void Check(JNIEnv* env, const Engine* engine, intsam_status status) {
  if (status != INTSAM_OK) Throw(env, status, intsam_session_error(engine->session));
}

/* ---------------------------------------------------------------- callbacks */

static int32_t OnProgress(void* user, int32_t step, int32_t steps, const char* name) {
  Engine* engine = user;
  JNIEnv* env = engine->env;
  jclass type;
  jmethodID method;
  jstring text;
  jboolean stop = JNI_TRUE;
  if (engine->progress == NULL) return 0;
  if ((*env)->PushLocalFrame(env, 8) != 0) return 1;
  type = (*env)->GetObjectClass(env, engine->progress);
  method = (*env)->GetMethodID(env, type, "step", "(IILjava/lang/String;)Z");
  text = method == NULL ? NULL : (*env)->NewStringUTF(env, name);
  if (text != NULL) stop = (*env)->CallBooleanMethod(env, engine->progress, method, (jint)step, (jint)steps, text);
  if ((*env)->ExceptionCheck(env)) stop = JNI_TRUE;
  (*env)->PopLocalFrame(env, NULL);
  return stop;
}

static int32_t OnFound(void* user, const intsam_found_mask* found, int32_t index, int32_t count) {
  Engine* engine = user;
  JNIEnv* env = engine->env;
  jclass type;
  jmethodID method;
  jboolean stop = JNI_TRUE;
  if ((*env)->PushLocalFrame(env, 8) != 0) return 1;
  type = (*env)->GetObjectClass(env, engine->found);
  method = (*env)->GetMethodID(env, type, "found", "(JIIIIII)Z");
  if (method != NULL) {
    stop = (*env)->CallBooleanMethod(env, engine->found, method, HandleOf(found->mask), (jint)found->predicted_iou,
                                     (jint)found->stability, (jint)found->point_x, (jint)found->point_y, (jint)index,
                                     (jint)count);
  }
  if ((*env)->ExceptionCheck(env)) stop = JNI_TRUE;
  (*env)->PopLocalFrame(env, NULL);
  return stop;
}

static void Begin(Engine* engine, JNIEnv* env, jobject progress, jobject found) {
  engine->env = env;
  engine->progress = progress;
  engine->found = found;
}

static void End(Engine* engine, intsam_status status) {
  JNIEnv* env = engine->env;
  Begin(engine, NULL, NULL, NULL);
  Check(env, engine, status);
}

/* ---------------------------------------------------------------- model */

NATIVE(jstring, version)(JNIEnv* env, jclass self) {
  (void)self;
  return (*env)->NewStringUTF(env, intsam_version());
}

NATIVE(jlong, openModel)(JNIEnv* env, jclass self, jstring path) {
  char error[512];
  intsam_model* model = NULL;
  intsam_status status;
  const char* name;
  (void)self;
  if (!IsGiven(env, path, "no path")) return 0;
  name = (*env)->GetStringUTFChars(env, path, NULL);
  if (name == NULL) return 0;
  status = intsam_model_open(name, &model, error, sizeof error);
  (*env)->ReleaseStringUTFChars(env, path, name);
  if (status != INTSAM_OK) Throw(env, status, error);
  return HandleOf(model);
}

NATIVE(jlong, openModelBuffer)(JNIEnv* env, jclass self, jobject bytes) {
  char error[512];
  intsam_model* model = NULL;
  intsam_status status;
  void* data = bytes == NULL ? NULL : (*env)->GetDirectBufferAddress(env, bytes);
  (void)self;
  if (data == NULL) {
    Throw(env, INTSAM_ERROR_ARGUMENT, "no direct buffer");
    return 0;
  }
  status =
      intsam_model_open_memory(data, (size_t)(*env)->GetDirectBufferCapacity(env, bytes), &model, error, sizeof error);
  if (status != INTSAM_OK) Throw(env, status, error);
  return HandleOf(model);
}

NATIVE(void, closeModel)(JNIEnv* env, jclass self, jlong model) {
  (void)env, (void)self;
  intsam_model_close(PointerOf(model));
}

NATIVE(void, verify)(JNIEnv* env, jclass self, jlong handle) {
  char error[512];
  const intsam_model* model = Open(env, handle);
  intsam_status status;
  (void)self;
  if (model == NULL) return;
  status = intsam_model_verify(model, error, sizeof error);
  if (status != INTSAM_OK) Throw(env, status, error);
}

static intsam_model_info ModelInfo(const intsam_model* model) {
  intsam_model_info info;
  memset(&info, 0, sizeof info);
  info.size = sizeof info;
  intsam_model_get_info(model, &info);
  return info;
}

static jlongArray LongArray(JNIEnv* env, const jlong* values, jsize count) {
  jlongArray array = (*env)->NewLongArray(env, count);
  if (array != NULL) (*env)->SetLongArrayRegion(env, array, 0, count, values);
  return array;
}

static jintArray IntArray(JNIEnv* env, const jint* values, jsize count) {
  jintArray array = (*env)->NewIntArray(env, count);
  if (array != NULL) (*env)->SetIntArrayRegion(env, array, 0, count, values);
  return array;
}

NATIVE(jlongArray, modelInfo)(JNIEnv* env, jclass self, jlong handle) {
  const intsam_model* model = Open(env, handle);
  intsam_model_info info;
  jlong values[6];
  (void)self;
  if (model == NULL) return NULL;
  info = ModelInfo(model);
  values[0] = info.image_size;
  values[1] = info.num_masks;
  values[2] = info.low_res_size;
  values[3] = info.logit_mantissa;
  values[4] = info.logit_shift;
  values[5] = (jlong)info.file_bytes;
  return LongArray(env, values, 6);
}

NATIVE(jstring, provenance)(JNIEnv* env, jclass self, jlong handle) {
  const intsam_model* model = Open(env, handle);
  intsam_model_info info;
  jbyteArray bytes;
  jclass type;
  jmethodID make;
  jstring charset;
  (void)self;
  if (model == NULL) return NULL;
  info = ModelInfo(model);
  /* Through java.lang.String: NewStringUTF takes another encoding, and needs a 0 at the end. */
  bytes = (*env)->NewByteArray(env, (jsize)info.provenance_size);
  type = bytes == NULL ? NULL : (*env)->FindClass(env, "java/lang/String");
  make = type == NULL ? NULL : (*env)->GetMethodID(env, type, "<init>", "([BLjava/lang/String;)V");
  charset = make == NULL ? NULL : (*env)->NewStringUTF(env, "UTF-8");
  if (charset == NULL) return NULL;
  (*env)->SetByteArrayRegion(env, bytes, 0, (jsize)info.provenance_size, (const jbyte*)info.provenance);
  return (*env)->NewObject(env, type, make, bytes, charset);
}

/* ---------------------------------------------------------------- session */

NATIVE(jlong, newSession)(JNIEnv* env, jclass self, jlong handle, jint threads, jstring tier) {
  char error[512];
  const intsam_model* model = Open(env, handle);
  intsam_session_options options;
  intsam_status status;
  Engine* engine;
  (void)self;
  if (model == NULL) return 0;
  engine = calloc(1, sizeof *engine);
  if (engine == NULL) {
    ThrowNoMemory(env);
    return 0;
  }
  intsam_session_options_init(&options);
  options.threads = threads;
  options.isa = tier == NULL ? NULL : (*env)->GetStringUTFChars(env, tier, NULL);
  options.progress = OnProgress;
  options.progress_user = engine;
  status = intsam_session_create(model, &options, &engine->session, error, sizeof error);
  if (options.isa != NULL) (*env)->ReleaseStringUTFChars(env, tier, options.isa);
  if (status == INTSAM_OK) return HandleOf(engine);
  free(engine);
  Throw(env, status, error);
  return 0;
}

NATIVE(void, closeSession)(JNIEnv* env, jclass self, jlong handle) {
  Engine* engine = Open(env, handle);
  (void)self;
  if (engine == NULL) return;
  intsam_session_destroy(engine->session);
  free(engine);
}

NATIVE(jstring, tier)(JNIEnv* env, jclass self, jlong handle) {
  const Engine* engine = Open(env, handle);
  (void)self;
  return engine == NULL ? NULL : (*env)->NewStringUTF(env, intsam_session_isa(engine->session));
}

NATIVE(jint, threads)(JNIEnv* env, jclass self, jlong handle) {
  const Engine* engine = Open(env, handle);
  (void)self;
  return engine == NULL ? 0 : intsam_session_threads(engine->session);
}

NATIVE(jlong, memory)(JNIEnv* env, jclass self, jlong handle) {
  const Engine* engine = Open(env, handle);
  (void)self;
  return engine == NULL ? 0 : (jlong)intsam_session_memory(engine->session);
}

NATIVE(void, setImage)
(JNIEnv* env, jclass self, jlong handle, jintArray argb, jint width, jint height, jobject progress) {
  Engine* engine = Open(env, handle);
  intsam_status status;
  jint* pixels;
  (void)self;
  if (engine == NULL || !IsGiven(env, argb, "no pixels")) return;
  if (width < 1 || height < 1 || (jlong)width * height != (*env)->GetArrayLength(env, argb)) {
    Throw(env, INTSAM_ERROR_ARGUMENT, "not width * height pixels");
    return;
  }
  /* A copy, not a critical section: callbacks run meanwhile. */
  pixels = (*env)->GetIntArrayElements(env, argb, NULL);
  if (pixels == NULL) return;
  Begin(engine, env, progress, NULL);
  {
    /* 0xAARRGGBB in a little-endian word: the bytes are B, G, R, A. */
    const intsam_image image = {(const uint8_t*)pixels, width, height, (size_t)width * 4, INTSAM_BGRA};
    status = intsam_session_set_image(engine->session, &image);
  }
  (*env)->ReleaseIntArrayElements(env, argb, pixels, JNI_ABORT);
  End(engine, status);
}

/* Bytes of a direct buffer that holds `rows` rows of `row` bytes, `stride` apart; NULL, with an exception, otherwise.
 */
static void* Rows(JNIEnv* env, jobject buffer, jlong row, jlong rows, jlong stride) {
  void* data = buffer == NULL ? NULL : (*env)->GetDirectBufferAddress(env, buffer);
  if (data == NULL) {
    Throw(env, INTSAM_ERROR_ARGUMENT, "no direct buffer");
  } else if (rows < 1 || stride < row || (rows - 1) * stride + row > (*env)->GetDirectBufferCapacity(env, buffer)) {
    Throw(env, INTSAM_ERROR_ARGUMENT, "the buffer does not hold these rows");
    data = NULL;
  }
  return data;
}

NATIVE(void, setImageBuffer)
(JNIEnv* env, jclass self, jlong handle, jobject buffer, jint width, jint height, jint stride, jint format,
 jobject progress) {
  static const jlong kBytes[] = {3, 3, 4, 4, 1}; /* of a pixel, by format */
  Engine* engine = Open(env, handle);
  intsam_image image;
  (void)self;
  if (engine == NULL) return;
  image.pixels = width < 1 ? NULL : Rows(env, buffer, width * kBytes[format], height, stride);
  if (image.pixels == NULL) {
    Throw(env, INTSAM_ERROR_ARGUMENT, "no pixels");
    return;
  }
  image.width = width;
  image.height = height;
  image.stride = (size_t)stride;
  image.format = (intsam_pixel_format)format;
  Begin(engine, env, progress, NULL);
  End(engine, intsam_session_set_image(engine->session, &image));
}

NATIVE(jintArray, imageSize)(JNIEnv* env, jclass self, jlong handle) {
  const Engine* engine = Open(env, handle);
  int32_t size[2] = {0, 0};
  (void)self;
  if (engine == NULL) return NULL;
  intsam_session_image_size(engine->session, &size[0], &size[1]);
  return IntArray(env, size, 2);
}

NATIVE(jbyteArray, saveEmbedding)(JNIEnv* env, jclass self, jlong handle) {
  const Engine* engine = Open(env, handle);
  size_t size;
  jbyteArray array;
  jbyte* bytes;
  intsam_status status;
  (void)self;
  if (engine == NULL) return NULL;
  size = intsam_session_embedding_size(engine->session);
  array = (*env)->NewByteArray(env, (jsize)size);
  bytes = array == NULL ? NULL : (*env)->GetByteArrayElements(env, array, NULL);
  if (bytes == NULL) return NULL;
  status = intsam_session_save_embedding(engine->session, bytes, size);
  (*env)->ReleaseByteArrayElements(env, array, bytes, 0);
  Check(env, engine, status);
  return array;
}

NATIVE(void, loadEmbedding)(JNIEnv* env, jclass self, jlong handle, jbyteArray array) {
  const Engine* engine = Open(env, handle);
  jbyte* bytes;
  intsam_status status;
  (void)self;
  if (engine == NULL || !IsGiven(env, array, "no embedding")) return;
  bytes = (*env)->GetByteArrayElements(env, array, NULL);
  if (bytes == NULL) return;
  status = intsam_session_load_embedding(engine->session, bytes, (size_t)(*env)->GetArrayLength(env, array));
  (*env)->ReleaseByteArrayElements(env, array, bytes, JNI_ABORT);
  Check(env, engine, status);
}

/* ---------------------------------------------------------------- predictions */

static size_t LowResCodes(const intsam_model* model) {
  const intsam_model_info info = ModelInfo(model);
  return (size_t)info.low_res_size * (size_t)info.low_res_size;
}

/* What the prompts of a batch point to. */
typedef struct Batch {
  intsam_prompt* prompts;
  intsam_point* points;
  intsam_box* boxes;
  int16_t* masks; /* `codes` each */
  size_t codes;
} Batch;

static void Free(Batch* batch) {
  free(batch->prompts);
  free(batch->points);
  free(batch->boxes);
  free(batch->masks);
}

/* Fills prompt `i`; 0, with an exception, where an array has the wrong length. */
static int FillPrompt(JNIEnv* env, Batch* batch, size_t i, jobjectArray boxes, jobjectArray masks) {
  jintArray box = (*env)->GetObjectArrayElement(env, boxes, (jsize)i);
  jshortArray mask = (*env)->GetObjectArrayElement(env, masks, (jsize)i);
  intsam_prompt* prompt = &batch->prompts[i];
  if (box != NULL) {
    (*env)->GetIntArrayRegion(env, box, 0, 4, (jint*)&batch->boxes[i]);
    prompt->box = &batch->boxes[i];
    (*env)->DeleteLocalRef(env, box);
  }
  if (mask != NULL) {
    if ((size_t)(*env)->GetArrayLength(env, mask) != batch->codes) {
      Throw(env, INTSAM_ERROR_ARGUMENT, "mask: not the low-resolution logits of an earlier prediction");
      return 0;
    }
    (*env)->GetShortArrayRegion(env, mask, 0, (jsize)batch->codes, &batch->masks[i * batch->codes]);
    prompt->mask_input = &batch->masks[i * batch->codes];
    (*env)->DeleteLocalRef(env, mask);
  }
  return !(*env)->ExceptionCheck(env);
}

NATIVE(void, predict)
(JNIEnv* env, jclass self, jlong handle, jlong model, jintArray counts, jintArray points, jobjectArray boxes,
 jobjectArray masks, jobject progress) {
  Engine* engine = Open(env, handle);
  const size_t count = (size_t)(*env)->GetArrayLength(env, counts);
  const jsize num_codes = (*env)->GetArrayLength(env, points);
  Batch batch;
  jint* num_points = NULL;
  size_t i, first = 0;
  int has_masks = 0;
  (void)self;
  if (engine == NULL) return;
  for (i = 0; i < count && !has_masks; ++i) {
    jobject mask = (*env)->GetObjectArrayElement(env, masks, (jsize)i);
    has_masks = mask != NULL;
    (*env)->DeleteLocalRef(env, mask);
  }
  batch.codes = LowResCodes(PointerOf(model));
  batch.prompts = calloc(count + 1, sizeof *batch.prompts);
  batch.points = malloc(((size_t)num_codes / 3 + 1) * sizeof *batch.points);
  batch.boxes = malloc((count + 1) * sizeof *batch.boxes);
  batch.masks = malloc(has_masks ? count * batch.codes * sizeof *batch.masks : 1);
  num_points = (*env)->GetIntArrayElements(env, counts, NULL);
  if (batch.prompts == NULL || batch.points == NULL || batch.boxes == NULL || batch.masks == NULL ||
      num_points == NULL) {
    ThrowNoMemory(env);
  } else {
    (*env)->GetIntArrayRegion(env, points, 0, num_codes, (jint*)batch.points);
    for (i = 0; i < count && FillPrompt(env, &batch, i, boxes, masks); ++i) {
      batch.prompts[i].points = &batch.points[first];
      batch.prompts[i].num_points = (size_t)num_points[i];
      first += (size_t)num_points[i];
    }
    if (!(*env)->ExceptionCheck(env)) {
      Begin(engine, env, progress, NULL);
      End(engine, count == 1 ? intsam_session_predict(engine->session, batch.prompts)
                             : intsam_session_predict_batch(engine->session, batch.prompts, count));
    }
  }
  if (num_points != NULL) (*env)->ReleaseIntArrayElements(env, counts, num_points, JNI_ABORT);
  Free(&batch);
}

NATIVE(jint, bestMask)(JNIEnv* env, jclass self, jlong handle, jint result) {
  const Engine* engine = Open(env, handle);
  (void)self;
  return engine == NULL ? 0 : intsam_session_best_mask(engine->session, (size_t)result);
}

NATIVE(jint, iou)(JNIEnv* env, jclass self, jlong handle, jint result, jint mask) {
  const Engine* engine = Open(env, handle);
  (void)self;
  return engine == NULL ? 0 : intsam_session_iou(engine->session, (size_t)result, mask);
}

NATIVE(jshortArray, lowRes)(JNIEnv* env, jclass self, jlong handle, jlong model, jint result, jint mask) {
  const Engine* engine = Open(env, handle);
  const int16_t* codes = engine == NULL ? NULL : intsam_session_low_res(engine->session, (size_t)result, mask);
  jsize count;
  jshortArray array;
  (void)self;
  if (codes == NULL) return NULL;
  count = (jsize)LowResCodes(PointerOf(model));
  array = (*env)->NewShortArray(env, count);
  if (array != NULL) (*env)->SetShortArrayRegion(env, array, 0, count, codes);
  return array;
}

NATIVE(jint, stability)(JNIEnv* env, jclass self, jlong handle, jint result, jint mask, jint offset) {
  Engine* engine = Open(env, handle);
  int32_t stability = 0;
  (void)self;
  if (engine == NULL) return 0;
  Check(env, engine, intsam_session_stability(engine->session, (size_t)result, mask, NULL, offset, &stability));
  return stability;
}

/* ---------------------------------------------------------------- masks */

NATIVE(jlong, makeMask)(JNIEnv* env, jclass self, jlong handle, jint result, jint mask, jintArray settings) {
  Engine* engine = Open(env, handle);
  intsam_mask_options options;
  intsam_mask* made = NULL;
  jint values[7];
  (void)self;
  if (engine == NULL) return 0;
  (*env)->GetIntArrayRegion(env, settings, 0, 7, values);
  intsam_mask_options_init(&options);
  options.x = values[0];
  options.y = values[1];
  options.region_width = values[2];
  options.region_height = values[3];
  options.width = values[4];
  options.height = values[5];
  options.threshold_offset = values[6];
  Check(env, engine, intsam_session_make_mask(engine->session, (size_t)result, mask, &options, &made));
  return HandleOf(made);
}

NATIVE(void, closeMask)(JNIEnv* env, jclass self, jlong mask) {
  (void)env, (void)self;
  intsam_mask_destroy(PointerOf(mask));
}

static intsam_mask_info MaskInfo(const intsam_mask* mask) {
  intsam_mask_info info;
  memset(&info, 0, sizeof info);
  info.size = sizeof info;
  intsam_mask_get_info(mask, &info);
  return info;
}

NATIVE(jlongArray, maskInfo)(JNIEnv* env, jclass self, jlong handle) {
  const intsam_mask* mask = Open(env, handle);
  intsam_mask_info info;
  jlong values[7];
  (void)self;
  if (mask == NULL) return NULL;
  info = MaskInfo(mask);
  values[0] = info.width;
  values[1] = info.height;
  values[2] = info.x0;
  values[3] = info.y0;
  values[4] = info.x1;
  values[5] = info.y1;
  values[6] = info.area;
  return LongArray(env, values, 7);
}

NATIVE(void, maskBytes)(JNIEnv* env, jclass self, jlong handle, jbyteArray out, jint stride) {
  const intsam_mask* mask = Open(env, handle);
  jbyte* bytes;
  (void)self;
  if (mask == NULL) return;
  bytes = (*env)->GetByteArrayElements(env, out, NULL);
  if (bytes == NULL) return;
  (void)intsam_mask_pixels(mask, (uint8_t*)bytes, (size_t)stride); /* Mask.java made room for exactly this */
  (*env)->ReleaseByteArrayElements(env, out, bytes, 0);
}

NATIVE(void, maskBuffer)(JNIEnv* env, jclass self, jlong handle, jobject out, jint stride) {
  const intsam_mask* mask = Open(env, handle);
  uint8_t* data;
  intsam_mask_info info;
  (void)self;
  if (mask == NULL) return;
  info = MaskInfo(mask);
  data = Rows(env, out, info.width, info.height, stride);
  if (data != NULL) (void)intsam_mask_pixels(mask, data, (size_t)stride);
}

NATIVE(void, maskArgb)(JNIEnv* env, jclass self, jlong handle, jintArray out, jint inside, jint outside) {
  const intsam_mask* mask = Open(env, handle);
  const size_t count = (size_t)(*env)->GetArrayLength(env, out);
  uint8_t* bytes;
  jint* pixels;
  size_t i;
  (void)self;
  if (mask == NULL) return;
  bytes = malloc(count);
  pixels = bytes == NULL ? NULL : (*env)->GetIntArrayElements(env, out, NULL);
  if (pixels == NULL) {
    ThrowNoMemory(env);
  } else {
    (void)intsam_mask_pixels(mask, bytes, (size_t)MaskInfo(mask).width);
    for (i = 0; i < count; ++i) pixels[i] = bytes[i] != 0 ? inside : outside;
    (*env)->ReleaseIntArrayElements(env, out, pixels, 0);
  }
  free(bytes);
}

NATIVE(jintArray, runLengths)(JNIEnv* env, jclass self, jlong handle) {
  const intsam_mask* mask = Open(env, handle);
  size_t count = 0;
  jintArray array;
  jint* lengths;
  (void)self;
  if (mask == NULL) return NULL;
  (void)intsam_mask_run_lengths(mask, NULL, 0, &count);
  array = (*env)->NewIntArray(env, (jsize)count);
  lengths = array == NULL ? NULL : (*env)->GetIntArrayElements(env, array, NULL);
  if (lengths == NULL) return NULL;
  (void)intsam_mask_run_lengths(mask, (uint32_t*)lengths, count, &count);
  (*env)->ReleaseIntArrayElements(env, array, lengths, 0);
  return array;
}

NATIVE(jstring, cocoString)(JNIEnv* env, jclass self, jlong handle) {
  const intsam_mask* mask = Open(env, handle);
  size_t length = 0;
  char* text;
  jstring result = NULL;
  (void)self;
  if (mask == NULL) return NULL;
  (void)intsam_mask_coco_string(mask, NULL, 0, &length);
  text = malloc(length + 1);
  if (text == NULL || intsam_mask_coco_string(mask, text, length + 1, &length) != INTSAM_OK) {
    ThrowNoMemory(env);
  } else {
    result = (*env)->NewStringUTF(env, text); /* printable ASCII */
  }
  free(text);
  return result;
}

NATIVE(jintArray, outlines)(JNIEnv* env, jclass self, jlong handle, jintArray num_rings_out) {
  const intsam_mask* mask = Open(env, handle);
  size_t num_corners = 0, num_rings = 0, i;
  intsam_ring* rings;
  jintArray array = NULL;
  jint* values;
  (void)self;
  if (mask == NULL) return NULL;
  if (intsam_mask_outlines(mask, NULL, 0, &num_corners, NULL, 0, &num_rings) != INTSAM_OK ||
      (rings = malloc((num_rings + 1) * sizeof *rings)) == NULL) {
    ThrowNoMemory(env);
    return NULL;
  }
  if (num_corners < MAX_MASK_PIXELS) array = (*env)->NewIntArray(env, (jsize)(3 * num_rings + 2 * num_corners));
  values = array == NULL ? NULL : (*env)->GetIntArrayElements(env, array, NULL);
  if (values == NULL) {
    ThrowNoMemory(env);
  } else {
    const jint count = (jint)num_rings;
    (void)intsam_mask_outlines(mask, (intsam_corner*)(values + 3 * num_rings), num_corners, &num_corners, rings,
                               num_rings, &num_rings);
    for (i = 0; i < num_rings; ++i) {
      values[3 * i] = (jint)rings[i].first;
      values[3 * i + 1] = (jint)rings[i].count;
      values[3 * i + 2] = (jint)rings[i].outer;
    }
    (*env)->ReleaseIntArrayElements(env, array, values, 0);
    (*env)->SetIntArrayRegion(env, num_rings_out, 0, 1, &count);
  }
  free(rings);
  return array;
}

/* ---------------------------------------------------------------- everything mode */

NATIVE(void, everything)(JNIEnv* env, jclass self, jlong handle, jintArray settings, jobject found, jobject progress) {
  Engine* engine = Open(env, handle);
  intsam_everything_options options;
  (void)self;
  if (engine == NULL) return;
  intsam_everything_options_init(&options);
  (*env)->GetIntArrayRegion(env, settings, 0, 11, &options.points_per_side);
  Begin(engine, env, progress, found);
  End(engine, intsam_session_everything(engine->session, NULL, &options, OnFound, engine));
}

NATIVE(jintArray, everythingDefaults)(JNIEnv* env, jclass self) {
  intsam_everything_options options;
  (void)self;
  intsam_everything_options_init(&options);
  return IntArray(env, &options.points_per_side, 11);
}

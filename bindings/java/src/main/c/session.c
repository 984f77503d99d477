/* Sessions: callbacks, photos, embeddings, everything mode. */
#include "bindings/java/src/main/c/jni_support.h"

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

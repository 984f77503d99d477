/* The native half of Intsam.java. Failures become exceptions with the library's own sentence. */
#include <intsam/intsam.h>
#include <jni.h>
#include <stdlib.h>
#include <string.h>

typedef struct Engine {
  intsam_model* model;
  intsam_session* session;
} Engine;

#define MAX_POINTS 256

static Engine* EngineOf(jlong handle) {
  Engine* engine;
  memcpy(&engine, &handle, sizeof engine);
  return engine;
}

/* A pending exception is thrown when the native call returns. */
static void Throw(JNIEnv* env, intsam_status status, const char* sentence) {
  const char* name = status == INTSAM_ERROR_ARGUMENT   ? "java/lang/IllegalArgumentException"
                     : status == INTSAM_ERROR_RESOURCE ? "java/lang/OutOfMemoryError"
                                                       : "java/lang/IllegalStateException";
  jclass type = (*env)->FindClass(env, name);
  if (type != NULL) (*env)->ThrowNew(env, type, sentence);
}

static void Destroy(Engine* engine) {
  intsam_session_destroy(engine->session);
  intsam_model_close(engine->model);
  free(engine);
}

JNIEXPORT jlong JNICALL Java_org_intsam_Intsam_open(JNIEnv* env, jclass self, jstring path, jint threads) {
  char error[256] = "out of memory";
  jlong handle = 0;
  intsam_session_options options;
  const char* name = path == NULL ? NULL : (*env)->GetStringUTFChars(env, path, NULL);
  Engine* engine = name == NULL ? NULL : calloc(1, sizeof *engine);
  intsam_status status = INTSAM_ERROR_RESOURCE;
  (void)self;
  if (engine != NULL) {
    intsam_session_options_init(&options);
    options.threads = threads;
    status = intsam_model_open(name, &engine->model, error, sizeof error);
    if (status == INTSAM_OK) {
      status = intsam_session_create(engine->model, &options, &engine->session, error, sizeof error);
    }
  }
  if (name != NULL) (*env)->ReleaseStringUTFChars(env, path, name);
  if (status == INTSAM_OK) {
    memcpy(&handle, &engine, sizeof engine);
    return handle;
  }
  if (engine != NULL) Destroy(engine);
  if (!(*env)->ExceptionCheck(env))
    Throw(env, path == NULL ? INTSAM_ERROR_ARGUMENT : status, path == NULL ? "no path" : error);
  return 0;
}

JNIEXPORT void JNICALL Java_org_intsam_Intsam_setImage(JNIEnv* env, jclass self, jlong handle, jintArray argb,
                                                       jint width, jint height) {
  Engine* engine = EngineOf(handle);
  jint* pixels;
  intsam_status status;
  (void)self;
  if (engine == NULL || argb == NULL || width < 1 || height < 1 ||
      (jlong)width * height != (*env)->GetArrayLength(env, argb)) {
    Throw(env, INTSAM_ERROR_ARGUMENT, "closed, or not width * height pixels");
    return;
  }
  pixels = (*env)->GetIntArrayElements(env, argb, NULL);
  if (pixels == NULL) return;
  {
    /* 0xAARRGGBB in a little-endian word: the bytes are B, G, R, A. */
    const intsam_image image = {(const uint8_t*)pixels, width, height, (size_t)width * 4, INTSAM_BGRA};
    status = intsam_session_set_image(engine->session, &image);
  }
  (*env)->ReleaseIntArrayElements(env, argb, pixels, JNI_ABORT);
  if (status != INTSAM_OK) Throw(env, status, intsam_session_error(engine->session));
}

JNIEXPORT jbyteArray JNICALL Java_org_intsam_Intsam_segment(JNIEnv* env, jclass self, jlong handle, jintArray points) {
  Engine* engine = EngineOf(handle);
  intsam_point list[MAX_POINTS];
  intsam_prompt prompt = {list, 0, NULL, NULL};
  const jsize count = points == NULL ? 0 : (*env)->GetArrayLength(env, points);
  int32_t width, height, index;
  intsam_status status;
  jbyteArray result;
  jbyte* mask;
  (void)self;
  if (engine == NULL || count == 0 || count % 3 != 0 || count > 3 * MAX_POINTS) {
    Throw(env, INTSAM_ERROR_ARGUMENT, "closed, or not 1 to 256 points of x, y, label");
    return NULL;
  }
  (*env)->GetIntArrayRegion(env, points, 0, count, (jint*)list);
  prompt.num_points = (size_t)count / 3;
  status = intsam_session_predict(engine->session, &prompt);
  if (status != INTSAM_OK) {
    Throw(env, status, intsam_session_error(engine->session));
    return NULL;
  }
  /* One point is ambiguous, so the best alternative; several are not. */
  index = prompt.num_points == 1 ? intsam_session_best_mask(engine->session, 0) : 0;
  intsam_session_image_size(engine->session, &width, &height);
  result = (*env)->NewByteArray(env, width * height);
  mask = result == NULL ? NULL : (*env)->GetByteArrayElements(env, result, NULL);
  if (mask == NULL) return NULL;
  status = intsam_session_mask(engine->session, 0, index, (uint8_t*)mask, (size_t)width);
  (*env)->ReleaseByteArrayElements(env, result, mask, 0);
  if (status == INTSAM_OK) return result;
  Throw(env, status, intsam_session_error(engine->session));
  return NULL;
}

JNIEXPORT void JNICALL Java_org_intsam_Intsam_close(JNIEnv* env, jclass self, jlong handle) {
  (void)env, (void)self;
  if (handle != 0) Destroy(EngineOf(handle));
}

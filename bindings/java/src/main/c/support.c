/* Handles, exceptions, arrays. */
#include "bindings/java/src/main/c/jni_support.h"

jlong HandleOf(const void* pointer) {
  jlong handle = 0;
  memcpy(&handle, &pointer, sizeof pointer);
  return handle;
}

void* PointerOf(jlong handle) {
  void* pointer;
  memcpy(&pointer, &handle, sizeof pointer);
  return pointer;
}

static void ThrowNew(JNIEnv* env, const char* name, const char* sentence) {
  jclass type = (*env)->FindClass(env, name);
  if (type != NULL) (*env)->ThrowNew(env, type, sentence);
}

void Throw(JNIEnv* env, intsam_status status, const char* sentence) {
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

void ThrowNoMemory(JNIEnv* env) { Throw(env, INTSAM_ERROR_RESOURCE, "out of memory"); }

void* Open(JNIEnv* env, jlong handle) {
  if (handle == 0) ThrowNew(env, "java/lang/IllegalStateException", "closed");
  return PointerOf(handle);
}

int IsGiven(JNIEnv* env, jobject array, const char* sentence) {
  if (array == NULL) Throw(env, INTSAM_ERROR_ARGUMENT, sentence);
  return array != NULL;
}

void Check(JNIEnv* env, const Engine* engine, intsam_status status) {
  if (status != INTSAM_OK) Throw(env, status, intsam_session_error(engine->session));
}

void Begin(Engine* engine, JNIEnv* env, jobject progress, jobject found) {
  engine->env = env;
  engine->progress = progress;
  engine->found = found;
}

void End(Engine* engine, intsam_status status) {
  JNIEnv* env = engine->env;
  Begin(engine, NULL, NULL, NULL);
  Check(env, engine, status);
}

jlongArray LongArray(JNIEnv* env, const jlong* values, jsize count) {
  jlongArray array = (*env)->NewLongArray(env, count);
  if (array != NULL) (*env)->SetLongArrayRegion(env, array, 0, count, values);
  return array;
}

jintArray IntArray(JNIEnv* env, const jint* values, jsize count) {
  jintArray array = (*env)->NewIntArray(env, count);
  if (array != NULL) (*env)->SetIntArrayRegion(env, array, 0, count, values);
  return array;
}

void* Rows(JNIEnv* env, jobject buffer, jlong row, jlong rows, jlong stride) {
  void* data = buffer == NULL ? NULL : (*env)->GetDirectBufferAddress(env, buffer);
  if (data == NULL) {
    Throw(env, INTSAM_ERROR_ARGUMENT, "no direct buffer");
  } else if (rows < 1 || stride < row || (rows - 1) * stride + row > (*env)->GetDirectBufferCapacity(env, buffer)) {
    Throw(env, INTSAM_ERROR_ARGUMENT, "the buffer does not hold these rows");
    data = NULL;
  }
  return data;
}

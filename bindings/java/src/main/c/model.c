/* Models. */
#include "bindings/java/src/main/c/jni_support.h"

intsam_model_info ModelInfo(const intsam_model* model) {
  intsam_model_info info;
  memset(&info, 0, sizeof info);
  info.size = sizeof info;
  intsam_model_get_info(model, &info);
  return info;
}

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

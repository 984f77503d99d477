/* Masks. */
#include "bindings/java/src/main/c/jni_support.h"

#define MAX_MASK_PIXELS ((size_t)1 << 29)

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
  intsam_ring* rings = NULL;
  jintArray array = NULL;
  jint* values;
  (void)self;
  if (mask == NULL) return NULL;
  if (intsam_mask_outlines(mask, NULL, 0, &num_corners, NULL, 0, &num_rings) == INTSAM_OK)
    rings = malloc((num_rings + 1) * sizeof *rings);
  if (rings == NULL) {
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

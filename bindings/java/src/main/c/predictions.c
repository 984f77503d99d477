/* Prompts and their answers. */
#include "bindings/java/src/main/c/jni_support.h"

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

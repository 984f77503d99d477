/* What the native files share. Failures become exceptions with the library's own sentence; sizes of arrays are checked
 * in these files, everything else by the library. */
#ifndef INTSAM_BINDINGS_JAVA_JNI_SUPPORT_H_
#define INTSAM_BINDINGS_JAVA_JNI_SUPPORT_H_

#include <intsam/intsam.h>
#include <jni.h>
#include <stdlib.h>
#include <string.h>

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_org_intsam_Native_##name

/* A session, and what its callbacks need while a call runs. */
typedef struct Engine {
  intsam_session* session;
  JNIEnv* env;
  jobject progress; /* Progress, or NULL */
  jobject found;    /* Native.Found */
} Engine;

/* A pointer as Java keeps it. */
jlong HandleOf(const void* pointer);
void* PointerOf(jlong handle);
/* NULL, with an exception, for a closed object. */
void* Open(JNIEnv* env, jlong handle);

/* An exception that a callback threw stays the one. */
void Throw(JNIEnv* env, intsam_status status, const char* sentence);
void ThrowNoMemory(JNIEnv* env);
/* Throws what the session says unless the status is INTSAM_OK. */
void Check(JNIEnv* env, const Engine* engine, intsam_status status);
/* 0, with an exception, for null. */
int IsGiven(JNIEnv* env, jobject array, const char* sentence);

/* Around a call that may call back; End checks its status. */
void Begin(Engine* engine, JNIEnv* env, jobject progress, jobject found);
void End(Engine* engine, intsam_status status);

jlongArray LongArray(JNIEnv* env, const jlong* values, jsize count);
jintArray IntArray(JNIEnv* env, const jint* values, jsize count);
/* Bytes of a direct buffer that holds `rows` rows of `row` bytes, `stride` apart; NULL, with an exception, otherwise.
 */
void* Rows(JNIEnv* env, jobject buffer, jlong row, jlong rows, jlong stride);

intsam_model_info ModelInfo(const intsam_model* model);

#endif /* INTSAM_BINDINGS_JAVA_JNI_SUPPORT_H_ */

// intsam.aar: the Java binding and libintsam for every ABI, by the NDK. `gradle assembleRelease` with an Android SDK.
plugins { id("com.android.library") version "8.7.3" }

android {
  namespace = "org.intsam"
  compileSdk = 35
  defaultConfig {
    minSdk = 24
    consumerProguardFiles("consumer-rules.pro")
    ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") }
    externalNativeBuild {
      cmake {
        targets += "intsam_jni"
        arguments +=
          listOf(
            "-DANDROID_STL=c++_static",
            "-DANDROID_SUPPORT_FLEXIBLE_PAGE_SIZES=ON",
            "-DINTSAM_BUILD_CONVERTER=OFF",
            "-DINTSAM_BUILD_APPS=OFF",
            "-DINTSAM_BUILD_TESTS=OFF",
          )
      }
    }
  }
  externalNativeBuild { cmake { path = file("../CMakeLists.txt") } }
  sourceSets { getByName("main") { java.srcDir("../src/main/java") } }
  compileOptions {
    sourceCompatibility = JavaVersion.VERSION_11
    targetCompatibility = JavaVersion.VERSION_11
  }
}

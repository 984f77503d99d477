package org.intsam.sample

import android.content.Context
import android.graphics.Bitmap
import android.graphics.PointF
import java.io.File
import java.util.concurrent.Executors
import java.util.concurrent.Future
import org.intsam.Model
import org.intsam.Prompt
import org.intsam.Session

/** Taps on a photo become masks, off the main thread, at the size of the view that shows them. */
class Segmenter(context: Context, asset: String) : AutoCloseable {
  private val worker = Executors.newSingleThreadExecutor()
  private val model: Model
  private val session: Session

  init {
    // Assets are compressed, and models are mapped: one copy in the app's own storage.
    val file = File(context.filesDir, asset)
    if (!file.exists()) {
      val partial = File(context.filesDir, "$asset.part")
      context.assets.open(asset).use { input -> partial.outputStream().use { input.copyTo(it) } }
      check(partial.renameTo(file))
    }
    model = Model.open(file.path)
    session = model.newSession()
  }

  /** Once per photo: the slow part. */
  fun show(photo: Bitmap, onProgress: (Float) -> Unit): Future<*> =
    worker.submit {
      val pixels = IntArray(photo.width * photo.height)
      photo.getPixels(pixels, 0, photo.width, 0, 0, photo.width, photo.height)
      session.setImage(pixels, photo.width, photo.height) { step, steps, _ ->
        onProgress(step.toFloat() / steps)
        Thread.currentThread().isInterrupted // Future.cancel(true) stops it
      }
    }

  /** Points of the photo, taps on the object and beside it: a bitmap of the mask, `width` x `height`. */
  fun segment(on: List<PointF>, off: List<PointF>, width: Int, height: Int, color: Int): Future<Bitmap> =
    worker.submit<Bitmap> {
      val prompt = Prompt()
      on.forEach { prompt.add(it.x.toDouble(), it.y.toDouble()) }
      off.forEach { prompt.remove(it.x.toDouble(), it.y.toDouble()) }
      val prediction = session.predict(prompt)
      val index = if (on.size + off.size == 1) prediction.best() else 0 // one tap may mean a part or the whole
      prediction.mask(index, width, height).use { mask ->
        Bitmap.createBitmap(mask.argb(color, 0), width, height, Bitmap.Config.ARGB_8888)
      }
    }

  override fun close() {
    worker.submit {
      session.close()
      model.close()
    }
    worker.shutdown()
  }
}

// The C entry points of masks: made of a session's results, and what may then be asked of them.
#include <string>

#include "runtime/api/calls.h"
#include "runtime/exec/check_input.h"
#include "runtime/image/outlines.h"
#include "runtime/image/run_lengths.h"

namespace {

using namespace intsam::internal;  // NOLINT: the C API is made of little else

struct MaskRequest {
  uint32_t mask;
  MaskView view;
  int32_t threshold_offset;
};

// Defaults filled in, all checked but the indices' upper ends, which the session checks.
Result<MaskRequest> RequestOf(const Session& session, int32_t mask, const intsam_mask_options* given) {
  if (mask < 0) return Error(Code::kUsage, "mask: index %d is negative", mask);
  if (session.num_results() == 0) return Error(Code::kUsage, "mask: nothing has been predicted");
  intsam_mask_options options;
  intsam_mask_options_init(&options);
  if (given != nullptr) INTSAM_TRY(TakeStruct("options", *given, options));
  for (const auto& [name, value] : {std::pair{"x", options.x},
                                    {"y", options.y},
                                    {"region_width", options.region_width},
                                    {"region_height", options.region_height},
                                    {"width", options.width},
                                    {"height", options.height}}) {
    if (value < 0) return Error(Code::kUsage, "options: %s %d is negative", name, value);
  }
  const auto number = [](int32_t value) { return static_cast<uint32_t>(value); };
  const ImageSize image = session.frame().original;
  MaskView view;
  view.x = number(options.x), view.y = number(options.y);
  view.region.width =
      options.region_width == 0 ? image.width - std::min(view.x, image.width) : number(options.region_width);
  view.region.height =
      options.region_height == 0 ? image.height - std::min(view.y, image.height) : number(options.region_height);
  view.size.width = options.width == 0 ? view.region.width : number(options.width);
  view.size.height = options.height == 0 ? view.region.height : number(options.height);
  INTSAM_TRY(CheckView(view, image));
  return MaskRequest{number(mask), view, options.threshold_offset};
}

Status MakeMask(const Session& session, size_t result, int32_t mask, const intsam_mask_options* options,
                intsam_mask** made) {
  if (made == nullptr) return Error(Code::kUsage, "made: the result pointer is NULL");
  *made = nullptr;
  INTSAM_ASSIGN(const MaskRequest request, RequestOf(session, mask, options));
  auto handle = std::make_unique<intsam_mask>();
  INTSAM_TRY(session.MaskAsRuns(result, request.mask, request.view, request.threshold_offset, handle->runs));
  *made = handle.release();
  return Status();
}

Status Stability(const Session& session, size_t result, int32_t mask, const intsam_mask_options* options,
                 int32_t offset, int32_t* stability) {
  if (stability == nullptr) return Error(Code::kUsage, "stability: the result pointer is NULL");
  if (offset < 0) return Error(Code::kUsage, "offset: %d is negative", offset);
  INTSAM_ASSIGN(const MaskRequest request, RequestOf(session, mask, options));
  return session.Stability(result, request.mask, request.view, request.threshold_offset, offset, *stability);
}

Status BadArgument() { return Status(Code::kUsage, ""); }

template <class Body>
intsam_status Call(const Body& body) {
  return static_cast<intsam_status>(Guarded(body).code());
}

// The list for the caller, where it asks for more than its length.
template <class From, class To, class Convert>
Status Give(const From& list, To* out, size_t room, const Convert& convert) {
  if (out == nullptr) return Status();
  if (room < list.size()) return BadArgument();
  std::transform(list.begin(), list.end(), out, convert);
  return Status();
}

}  // namespace

extern "C" {

intsam_status intsam_session_make_mask(intsam_session* session, size_t result, int32_t mask,
                                       const intsam_mask_options* options, intsam_mask** made) {
  return OnSession(session, [&](const Session& s) { return MakeMask(s, result, mask, options, made); });
}

intsam_status intsam_session_stability(intsam_session* session, size_t result, int32_t mask,
                                       const intsam_mask_options* options, int32_t offset, int32_t* stability) {
  return OnSession(session, [&](const Session& s) { return Stability(s, result, mask, options, offset, stability); });
}

void intsam_mask_destroy(intsam_mask* mask) { delete mask; }

void intsam_mask_get_info(const intsam_mask* mask, intsam_mask_info* info) {
  if (mask == nullptr || info == nullptr) return;
  const MaskRuns& runs = mask->runs;
  const PixelBox box = runs.Box();
  const auto number = [](uint32_t value) { return static_cast<int32_t>(value); };
  GiveStruct(info, [&](intsam_mask_info& all) {
    all.width = number(runs.size().width);
    all.height = number(runs.size().height);
    all.x0 = number(box.x0);
    all.y0 = number(box.y0);
    all.x1 = number(box.x1);
    all.y1 = number(box.y1);
    all.area = static_cast<int64_t>(runs.Area());
    all.memory = sizeof *mask + runs.memory();
  });
}

intsam_status intsam_mask_pixels(const intsam_mask* mask, uint8_t* out, size_t stride) {
  if (mask == nullptr || out == nullptr || stride < mask->runs.size().width) return INTSAM_ERROR_ARGUMENT;
  mask->runs.ToBytes(out, stride);
  return INTSAM_OK;
}

intsam_status intsam_mask_bits(const intsam_mask* mask, uint8_t* out, size_t stride) {
  if (mask == nullptr || out == nullptr || stride < (mask->runs.size().width + 7) / 8) return INTSAM_ERROR_ARGUMENT;
  mask->runs.ToBits(out, stride);
  return INTSAM_OK;
}

intsam_status intsam_mask_run_lengths(const intsam_mask* mask, uint32_t* lengths, size_t room, size_t* count) {
  if (mask == nullptr || count == nullptr) return INTSAM_ERROR_ARGUMENT;
  return Call([&] {
    const std::vector<uint32_t> all = ColumnRunLengths(mask->runs);
    *count = all.size();
    return Give(all, lengths, room, [](uint32_t length) { return length; });
  });
}

intsam_status intsam_mask_coco_string(const intsam_mask* mask, char* text, size_t room, size_t* length) {
  if (mask == nullptr || length == nullptr) return INTSAM_ERROR_ARGUMENT;
  return Call([&] {
    std::string all = CocoString(ColumnRunLengths(mask->runs));
    *length = all.size();
    all.push_back(0);
    return Give(all, text, room, [](char character) { return character; });
  });
}

intsam_status intsam_mask_outlines(const intsam_mask* mask, intsam_corner* corners, size_t corner_room,
                                   size_t* num_corners, intsam_ring* rings, size_t ring_room, size_t* num_rings) {
  if (mask == nullptr || num_corners == nullptr || num_rings == nullptr || (corners == nullptr) != (rings == nullptr))
    return INTSAM_ERROR_ARGUMENT;
  return Call([&]() -> Status {
    const Outlines all = FindOutlines(mask->runs);
    *num_corners = all.corners.size(), *num_rings = all.rings.size();
    if (rings != nullptr && ring_room < all.rings.size()) return BadArgument();
    INTSAM_TRY(Give(all.corners, corners, corner_room, [](const Corner& corner) {
      return intsam_corner{static_cast<int32_t>(corner.x), static_cast<int32_t>(corner.y)};
    }));
    return Give(all.rings, rings, ring_room, [](const Ring& ring) {
      return intsam_ring{ring.first, ring.count, ring.outer};
    });
  });
}

}  // extern "C"

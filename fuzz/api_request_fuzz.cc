// SPDX-License-Identifier: Apache-2.0
// JSON bodies from anybody: every decoder returns a value or names a field, and never more than the
// input could hold. The first byte chooses the decoder.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/api/container_request.h"
#include "core/api/lending_request.h"
#include "core/api/limits.h"
#include "core/api/request.h"
#include "core/api/text.h"
#include "foundation/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 18) {
    case 0: (void)hm::api::decode_register(body).has_value(); break;
    case 1: (void)hm::api::decode_update(body).has_value(); break;
    case 2: (void)hm::api::decode_transfer(body).has_value(); break;
    case 3: (void)hm::api::decode_retire(body).has_value(); break;
    case 4: {
      const auto batch = hm::api::decode_batch(body);
      HM_CHECK(!batch || (batch->size() >= 1 && batch->size() <= hm::api::kMaxBatchOperations));
      break;
    }
    case 5: (void)hm::api::decode_texts(body).has_value(); break;
    case 6: {
      const auto bytes = hm::api::from_base64(body);
      HM_CHECK(!bytes || hm::api::to_base64(*bytes) == body);
      break;
    }
    case 7: (void)hm::api::decode_decide(body).has_value(); break;
    case 8: (void)hm::api::decode_plan(body).has_value(); break;
    case 9: (void)hm::api::decode_signed(body).has_value(); break;
    case 10: (void)hm::api::decode_level(body).has_value(); break;
    case 11: (void)hm::api::decode_pause(body).has_value(); break;
    case 12: (void)hm::api::decode_revoke(body).has_value(); break;
    case 13: {
      const auto start = hm::api::decode_start(body);
      HM_CHECK(!start || hm::containers::validate(start->spec).has_value());
      break;
    }
    case 14: (void)hm::api::decode_container_stream(body).has_value(); break;
    case 15: (void)hm::api::decode_stream_word(body).has_value(); break;
    case 16: (void)hm::api::decode_stop(body).has_value(); break;
    case 17: (void)hm::api::decode_image_stream(body).has_value(); break;
    default: break;
  }
  return 0;
}

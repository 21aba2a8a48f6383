// SPDX-License-Identifier: Apache-2.0
// Documents and names of images from anybody: what is admitted is within its bounds, and what we
// write of it is read again as the same. The first byte chooses the decoder.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/containers/docker_archive.h"
#include "core/containers/image_config.h"
#include "core/containers/image_manifest.h"
#include "core/containers/image_reference.h"
#include "core/containers/limits.h"
#include "core/containers/registry_answer.h"
#include "core/containers/run_spec.h"
#include "foundation/base/check.h"

namespace {
using namespace hm::containers;

void check_document(hm::ByteView json, std::string_view announced) {
  const auto document = parse_image_document(json, announced);
  if (!document) return;
  if (const auto* manifest = std::get_if<ImageManifest>(&*document)) {
    HM_CHECK(manifest->layers.size() <= kMaxLayers);
    const auto again = parse_image_document(hm::as_bytes(write_manifest(*manifest)), kOciManifest);
    HM_CHECK(again && std::get<ImageManifest>(*again) == *manifest);
  } else {
    const auto& index = std::get<ImageIndex>(*document);
    HM_CHECK(index.manifests.size() <= kMaxIndexEntries);
    const auto again = parse_image_document(hm::as_bytes(write_index(index)), kOciIndex);
    HM_CHECK(again && std::get<ImageIndex>(*again) == index);
    (void)choose_platform(index, {"linux", "amd64", "v3"});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const hm::ByteView body(data + 1, size - 1);
  switch (data[0] % 9) {
    case 0: {
      const auto config = parse_image_config(body);
      if (config) {
        HM_CHECK(validate(ProcessSpec{.arguments = {},
                                      .environment = config->environment,
                                      .working_directory = config->working_directory,
                                      .user = config->user}));
      }
      break;
    }
    case 1: check_document(body, ""); break;
    case 2: check_document(body, kDockerList); break;
    case 3: {
      const auto reference = parse_image_reference(hm::as_text(body));
      if (reference) {
        const auto again = parse_image_reference(to_string(*reference));
        HM_CHECK(again && *again == *reference);
      }
      break;
    }
    case 4: (void)check_oci_layout(body).has_value(); break;
    case 5: (void)parse_docker_archive(body).has_value(); break;
    case 6: HM_CHECK(parse_auth_challenges(hm::as_text(body)).size() <= kMaxChallenges); break;
    case 7: (void)parse_token_answer(body).has_value(); break;
    case 8: {
      const auto url = parse_url(hm::as_text(body));
      if (url) {
        const std::string text =
            (url->is_tls ? "https://" : "http://") + authority_of(*url) + url->target;
        const auto again = parse_url(text);
        HM_CHECK(text.size() > kMaxUrlBytes || (again && *again == *url));
      }
      break;
    }
    default: break;
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/registry_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <variant>

#include "core/containers/image_digest.h"
#include "core/containers/image_manifest.h"
#include "core/containers/limits.h"
#include "platform/oci/blob_copy.h"
#include "platform/oci/limits.h"
#include "platform/oci/registry_session.h"
#include "platform/oci/stored_image.h"

namespace hm::oci {
namespace {

using containers::Descriptor;
using containers::ImageIndex;
using containers::ImageManifest;
using containers::ImageReference;

struct Fetched {
  Bytes bytes;
  crypto::Digest digest;
};

RegistrySession::Headers accepted_documents() {
  return {{"Accept", fmt::format("{}, {}, {}, {}", containers::kOciIndex, containers::kOciManifest,
                                 containers::kDockerList, containers::kDockerManifest)}};
}

std::string blob_path(const crypto::Digest& digest) {
  return "blobs/" + containers::image_digest_text(digest);
}

// A manifest or index, by tag or digest, with the media type that it was announced by.
Result<Fetched> fetch_document(RegistrySession& session, const std::string& name,
                               const std::optional<crypto::Digest>& digest,
                               std::string& media_type) {
  HM_TRY(const auto answer, session.request("GET", "manifests/" + name, accepted_documents()));
  if (answer->status() != 200) return fail(session.refusal(*answer, "manifest " + name));
  media_type = answer->header("Content-Type");
  media_type = media_type.substr(0, media_type.find(';'));
  if (!containers::is_manifest(media_type) && !containers::is_index(media_type)) {
    return image_error(containers::ImageError::BadMediaType, "manifest " + name);
  }
  Fetched fetched;
  HM_TRY(fetched.bytes, answer->read_all(containers::kMaxImageDocument));
  fetched.digest = crypto::sha256(fetched.bytes);
  const auto said = containers::parse_image_digest(answer->header("Docker-Content-Digest"));
  if ((digest && *digest != fetched.digest) || (said && *said != fetched.digest)) {
    return fail(ErrorCode::Corrupt, fmt::format("manifest {} is not what its digest says", name));
  }
  return fetched;
}

// The manifest for this machine, through indexes.
Result<Fetched> fetch_manifest(RegistrySession& session, const ImageReference& reference) {
  std::optional<crypto::Digest> digest = reference.digest;
  std::string name = digest ? containers::image_digest_text(*digest) : reference.tag;
  for (std::size_t depth = 0; depth < kMaxIndexNesting; ++depth) {
    std::string media_type;
    HM_TRY(auto fetched, fetch_document(session, name, digest, media_type));
    const auto document = containers::parse_image_document(fetched.bytes, media_type);
    if (!document) return image_error(document.error(), "manifest " + name);
    const auto* index = std::get_if<ImageIndex>(&*document);
    if (index == nullptr) return fetched;
    const Descriptor* const chosen = containers::choose_platform(*index, machine_platform());
    if (chosen == nullptr) {
      return image_error(containers::ImageError::NoPlatform, containers::to_string(reference));
    }
    digest = chosen->digest;
    name = containers::image_digest_text(*digest);
  }
  return fail(ErrorCode::Corrupt, "the registry's indexes are nested too deeply");
}

// "bytes 100-199/200": where the part begins.
std::optional<std::uint64_t> range_begin(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  std::uint64_t begin = 0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), begin);
  if (status != std::errc() || stop == text.data() + text.size() || *stop != '-') {
    return std::nullopt;
  }
  return begin;
}

// One request for what the writer lacks, and what comes of it.
Result<void> fetch_rest(RegistrySession& session, const ports::ImageBlob& blob,
                        ports::BlobWriter& writer, ProgressSum& progress) {
  RegistrySession::Headers headers;
  if (writer.offset() > 0) headers.emplace_back("Range", fmt::format("bytes={}-", writer.offset()));
  HM_TRY(const auto answer, session.request("GET", blob_path(blob.digest), headers));
  std::uint64_t present = 0;  // of what comes, already written
  if (answer->status() == 200) {
    present = writer.offset();
  } else if (answer->status() != 206 || headers.empty() ||
             range_begin(answer->header("Content-Range")) != writer.offset()) {
    return fail(session.refusal(*answer, "blob " + containers::image_digest_text(blob.digest)));
  }
  while (true) {
    HM_TRY(ByteView piece, answer->next());
    if (piece.empty()) break;
    const auto skipped = std::min<std::uint64_t>(present, piece.size());
    present -= skipped;
    piece = piece.subspan(static_cast<std::size_t>(skipped));
    HM_TRY_VOID(writer.write(piece));
    progress.add(piece.size());
  }
  if (writer.offset() == blob.bytes) return {};
  return fail(ErrorCode::Unavailable,
              fmt::format("blob {} ended early", containers::image_digest_text(blob.digest)));
}

Result<void> fetch_blob(RegistrySession& session, ports::ImageStore& store,
                        const ports::ImageBlob& blob, ProgressSum& progress) {
  HM_TRY(const auto writer,
         open_writer([&store](const ports::ImageBlob& wanted) { return store.write_blob(wanted); },
                     blob));
  if (writer == nullptr) {
    progress.add(blob.bytes);
    return {};
  }
  progress.add(writer->offset());
  std::uint64_t reached = writer->offset();
  for (int stalled = 0; writer->offset() < blob.bytes;) {
    const auto fetched = fetch_rest(session, blob, *writer, progress);
    if (fetched) break;
    stalled = writer->offset() > reached ? 0 : stalled + 1;
    reached = writer->offset();
    if (fetched.error().code != ErrorCode::Unavailable || stalled == kMaxStalledTries) {
      return fetched;
    }
    std::this_thread::sleep_for(kRetryPause);
  }
  return writer->commit();
}

Result<void> store_document(ports::ImageStore& store, const Fetched& document) {
  HM_TRY(const auto writer,
         open_writer([&store](const ports::ImageBlob& wanted) { return store.write_blob(wanted); },
                     {.digest = document.digest, .bytes = document.bytes.size()}));
  if (writer == nullptr) return {};
  const ByteView rest = ByteView(document.bytes);
  HM_TRY_VOID(writer->write(rest.subspan(static_cast<std::size_t>(writer->offset()))));
  return writer->commit();
}

std::uint64_t total_of(const std::vector<ports::ImageBlob>& blobs) {
  std::uint64_t total = 0;
  for (const auto& blob : blobs) total += blob.bytes;
  return total;
}

// A stored blob as a body to send.
HttpBody body_of(ports::ImageStore& store, const ports::ImageBlob& blob, ProgressSum* progress) {
  struct State {
    Bytes piece;
    std::uint64_t offset = 0;
  };
  return {
      .bytes = blob.bytes,
      .source = [&store, blob, progress, state = std::make_shared<State>()]() -> Result<ByteView> {
        HM_TRY(state->piece, store.read_blob(blob.digest, state->offset, kCopyBytes));
        state->offset += state->piece.size();
        if (progress != nullptr) progress->add(state->piece.size());
        return ByteView(state->piece);
      }};
}

Result<bool> is_there(RegistrySession& session, const ports::ImageBlob& blob) {
  HM_TRY(const auto answer, session.request("HEAD", blob_path(blob.digest)));
  if (answer->status() == 200) return true;
  if (answer->status() == 404) return false;
  return fail(session.refusal(*answer, "a blob"));
}

// A place to upload one blob to.
Result<containers::Url> begin_upload(RegistrySession& session) {
  HM_TRY(const auto answer,
         session.request("POST", "blobs/uploads/", {}, [] { return HttpBody{}; }));
  if (answer->status() != 202) return fail(session.refusal(*answer, "an upload"));
  return session.resolve(answer->header("Location"));
}

// distribution-spec 1.1, "POST then PUT": a place to upload to, then everything at once.
Result<void> send_blob(RegistrySession& session, ports::ImageStore& store,
                       const ports::ImageBlob& blob, ProgressSum& progress) {
  HM_TRY(const bool present, is_there(session, blob));
  if (present) {
    progress.add(blob.bytes);
    return {};
  }
  HM_TRY(auto place, begin_upload(session));
  place.target += place.target.find('?') == std::string::npos ? '?' : '&';
  place.target +=
      "digest=" + containers::percent_encoded(containers::image_digest_text(blob.digest));
  HM_TRY(const auto sent,
         session.request_at("PUT", std::move(place), {{"Content-Type", "application/octet-stream"}},
                            [&] { return body_of(store, blob, &progress); }));
  if (sent->status() != 201) return fail(session.refusal(*sent, "a blob"));
  return {};
}

}  // namespace

Result<ports::NamedImage> pull(ports::ImageStore& store, const ImageReference& reference,
                               const RegistryOptions& options,
                               const ports::ImageProgress& progress) {
  HM_TRY(auto session, RegistrySession::open(reference, options, RegistryAccess::Pull));
  HM_TRY(const auto manifest, fetch_manifest(session, reference));
  HM_TRY_VOID(store_document(store, manifest));
  HM_TRY(const auto blobs, store.blobs_of(manifest.digest));
  ProgressSum sum(progress, total_of(blobs));
  for (const ports::ImageBlob& blob : blobs) {
    HM_TRY_VOID(fetch_blob(session, store, blob, sum));
  }
  const std::string name = containers::to_string(reference);
  HM_TRY_VOID(store.set_name(name, manifest.digest));
  return store.find(name);
}

Result<void> push(ports::ImageStore& store, const crypto::Digest& manifest,
                  const ImageReference& reference, const RegistryOptions& options,
                  const ports::ImageProgress& progress) {
  HM_TRY(auto session, RegistrySession::open(reference, options, RegistryAccess::Push));
  HM_TRY(const auto blobs, store.blobs_of(manifest));
  HM_TRY(const auto bytes, store.read_blob(manifest, 0, containers::kMaxImageDocument));
  const auto media_type = containers::media_type_of(bytes);
  if (!media_type) return image_error(media_type.error(), "the manifest");
  if (reference.digest && *reference.digest != manifest) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} names another digest than the image's",
                                                        containers::to_string(reference)));
  }
  ProgressSum sum(progress, total_of(blobs));
  // The manifest goes last: by then, all that it names is there.
  for (const ports::ImageBlob& blob : blobs) {
    if (blob.digest != manifest) HM_TRY_VOID(send_blob(session, store, blob, sum));
  }
  const std::string name =
      reference.tag.empty() ? containers::image_digest_text(manifest) : reference.tag;
  HM_TRY(const auto answer,
         session.request("PUT", "manifests/" + name, {{"Content-Type", *media_type}},
                         [&] { return body_of(store, blobs.front(), &sum); }));
  if (answer->status() != 201) return fail(session.refusal(*answer, "manifest " + name));
  return {};
}

}  // namespace hm::oci

// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/manifest_unfolder.h"

#include <optional>
#include <string>
#include <utility>

#include "core/storage/limits.h"
#include "core/storage/manifest_box.h"
#include "node/storage_api/limits.h"

namespace hm::storage_api {

struct ManifestUnfolder::Reading {
  Unfolded sofar;
  Done done;
  storing::ManifestPtr outer;
  Bytes content;
  std::shared_ptr<storing::ObjectDownload> download;
};

void ManifestUnfolder::decode(std::function<Decoded()> work, std::function<void(Decoded)> then) {
  const auto decoded = std::make_shared<std::optional<Decoded>>();
  keeper_.parts().node.ports().workers.submit(
      [work = std::move(work), decoded] { decoded->emplace(work()); },
      [alive = alive_, decoded, then = std::move(then)] {
        if (*alive) then(std::move(**decoded));
      });
}

void ManifestUnfolder::unfold(std::string encoded, Done done) {
  decode([encoded = std::move(encoded)] { return storage::decode_manifest(as_bytes(encoded)); },
         [this, done = std::move(done)](Decoded manifest) {
           if (!manifest) {
             return done(fail(api::bad_request("the body is no manifest: " +
                                               std::string(storage::explain(manifest.error())))));
           }
           next({std::move(*manifest), {}}, done);
         });
}

void ManifestUnfolder::next(Unfolded sofar, Done done) {
  if (sofar.manifest.depth == 0) return done(std::move(sofar));
  if (sofar.manifest.size > storage::kMaxManifestBytes) {
    return done(fail(api::bad_request("the manifest is of one that is too long")));
  }
  if (reading_ >= kMaxUnfolding) {
    return done(fail(api::too_many("other long manifests are being read", 1)));
  }
  const auto reading = std::make_shared<Reading>();
  reading->outer = std::make_shared<const storage::Manifest>(std::move(sofar.manifest));
  reading->sofar.outer = std::move(sofar.outer);
  reading->sofar.outer.insert(reading->sofar.outer.end(), reading->outer->stripes.begin(),
                              reading->outer->stripes.end());
  reading->done = std::move(done);
  ++reading_;
  storing::ObjectDownload::Listener listener;
  listener.on_bytes = [reading](const std::string& piece) {
    const ByteView bytes = as_bytes(piece);
    reading->content.insert(reading->content.end(), bytes.begin(), bytes.end());
    if (const auto download = reading->download) download->take(piece.size());
  };
  listener.on_done = [this, alive = alive_, reading](const Result<void>& read) {
    reading->download.reset();
    if (!*alive) return;
    --reading_;
    if (!read) return reading->done(fail(api::from_error(read.error())));
    decode([reading] { return storage::unfold(*reading->outer, reading->content); },
           [this, reading](Decoded inner) {
             if (!inner) {
               return reading->done(
                   fail(api::bad_request("what is stored there is no manifest of the object: " +
                                         std::string(storage::explain(inner.error())))));
             }
             reading->sofar.manifest = std::move(*inner);
             next(std::move(reading->sofar), std::move(reading->done));
           });
  };
  auto started = storing::ObjectDownload::start(keeper_.parts(), reading->outer, 0,
                                                reading->outer->size, std::move(listener));
  if (!started) {
    --reading_;
    return reading->done(fail(api::from_error(started.error())));
  }
  reading->download = std::move(*started);
}

}  // namespace hm::storage_api

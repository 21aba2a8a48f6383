// SPDX-License-Identifier: Apache-2.0
// Images between nodes: a node that lacks one asks those that may have it, blob by blob, and
// continues where a broken transfer stopped; a node that has a blob sends it to whoever knows its
// digest. Nothing is believed but the digests.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "node/hosting/session_mux.h"
#include "ports/image_store.h"
#include "ports/workers.h"

namespace hm::hosting {

// What both need. All of it outlives them.
struct ImagePorts {
  SessionMux& mux;
  ports::ImageStore& store;
  ports::Workers& workers;
};

class ImageFetch : public std::enable_shared_from_this<ImageFetch> {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
  using Finished = std::function<void(Result<ports::UnpackedImage>)>;

  // Calls `done` once, later, with the image unpacked; none is called after cancel().
  static std::shared_ptr<ImageFetch> start(ImagePorts ports, const crypto::Digest& manifest,
                                           std::vector<identity::NodeId> sources, Progress progress,
                                           Finished done);
  void cancel();

  ImageFetch(ImagePorts ports, const crypto::Digest& manifest,
             std::vector<identity::NodeId> sources, Progress progress, Finished done);

 private:
  class Receiver;

  void look();
  void on_looked(Result<std::vector<ports::ImageBlob>> missing);
  void fetch_next();
  void ask(const ports::ImageBlob& blob);
  void on_fetched(const ports::ImageBlob& blob, const Outcome& outcome);
  void unpack();
  void finish(Result<ports::UnpackedImage> result);

  ImagePorts ports_;
  crypto::Digest manifest_;
  std::vector<identity::NodeId> sources_;
  std::size_t source_ = 0;  // the one that is asked
  Progress progress_;
  Finished done_;
  bool has_manifest_ = false;
  std::vector<ports::ImageBlob> missing_;  // the last is next
  std::uint64_t total_ = 0;
  std::uint64_t fetched_ = 0;
  std::shared_ptr<Receiver> receiver_;
  std::shared_ptr<Stream> stream_;
};

// Sends a blob on `stream`, which was opened for it.
void serve_blob(ImagePorts ports, const FetchBlob& request, std::shared_ptr<Stream> stream);

}  // namespace hm::hosting

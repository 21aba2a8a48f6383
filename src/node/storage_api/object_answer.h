// SPDX-License-Identifier: Apache-2.0
// An object on its way to a client: read as fast as the client takes it. The head is not sent
// before the first bytes are there, so that what cannot be read at all is answered with the reason;
// where it fails later the transfer breaks, which a client cannot take for the end.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "node/http_api/api.h"
#include "node/storing/object_keeper.h"
#include "ports/http.h"

namespace hm::storage_api {

class ObjectAnswer : public std::enable_shared_from_this<ObjectAnswer> {
 public:
  // `head` has everything but what it is about to begin with.
  static void start(http_api::Api& api, http_api::Call call, storing::ObjectKeeper& keeper,
                    const storing::OpenedObject& object, storing::ObjectKeeper::Range range,
                    ports::HttpResponse head);
  ObjectAnswer(http_api::Api& api, http_api::Call call, std::string name,
               storing::ObjectKeeper::Range range, ports::HttpResponse head);

 private:
  void begin(storing::ObjectKeeper& keeper, storing::ManifestPtr manifest);
  void on_bytes(std::string piece);
  void on_done(const Result<void>& result);
  bool open();
  void pump();
  void end();

  http_api::Api& api_;
  http_api::Call call_;
  std::string name_;
  storing::ObjectKeeper::Range range_;
  ports::HttpResponse head_;
  std::shared_ptr<storing::ObjectDownload> download_;
  std::shared_ptr<ports::HttpStream> stream_;
  std::deque<std::string> pieces_;
  std::size_t written_ = 0;  // of the first of them
  bool is_read_ = false;     // no more pieces come
  bool is_waiting_ = false;  // for room
  bool is_over_ = false;
};

}  // namespace hm::storage_api

// Memory of one thread at work, kept between calls: buffers grow once, and words that were seen are remembered.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "code_points.h"
#include "draft.h"
#include "model.h"
#include "piece_cache.h"
#include "pre_tokenizer.h"

namespace attune::text {

struct Workspace {
  CodePoints code_points;
  std::vector<Piece> segments;
  PreTokenized under_way;
  PieceCache cache;
  Draft first, second;

  /// Whether a text left much memory behind.
  bool is_large() const { return first.tokens.capacity() + second.tokens.capacity() > std::size_t{1} << 18; }
};

/// Lends workspaces to threads. There are as many as ever worked at the same time, less those that a huge text blew up.
class WorkspacePool {
 public:
  class Lease {
   public:
    explicit Lease(WorkspacePool& pool) : pool_(pool), workspace_(pool.take()) {}
    ~Lease() { pool_.give_back(std::move(workspace_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Workspace& operator*() const { return *workspace_; }

   private:
    WorkspacePool& pool_;
    std::unique_ptr<Workspace> workspace_;
  };

 private:
  std::unique_ptr<Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<Workspace>();
    std::unique_ptr<Workspace> workspace = std::move(idle_.back());
    idle_.pop_back();
    return workspace;
  }
  void give_back(std::unique_ptr<Workspace> workspace) {
    if (workspace->is_large()) return;
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(workspace));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace attune::text

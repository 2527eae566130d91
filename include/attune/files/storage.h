// Writing that survives a crash: temporary name, fsync, rename, fsync of the folder. Also hashes and the run's lock.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "attune/base/error.h"
#include "attune/base/sha256.h"

namespace attune::files {

/// Whole file as bytes; Error{kind} with the path and the reason when it is not a readable regular file.
std::string read_file(const std::string& path, ErrorKind kind = ErrorKind::data);
void write_file_atomically(const std::string& path, std::string_view content);
/// The same for content that is made piece by piece: `make` gives each to the sink.
using Sink = std::function<void(std::string_view)>;
void write_file_atomically(const std::string& path, const std::function<void(const Sink&)>& make);
void copy_file_atomically(const std::string& from, const std::string& to);

using attune::sha256_hex;
/// Streams the file; hex digest, "" after a stop was requested. Error{kind} when it is not a readable regular file.
std::string sha256_file(const std::string& path, ErrorKind kind = ErrorKind::storage, const std::stop_token& stop = {});

/// A folder that appears under `final_path` complete or not at all.
///   StagedFolder stage(path); …write files into stage.path()…; stage.commit();
class StagedFolder {
 public:
  explicit StagedFolder(std::string final_path);
  ~StagedFolder();  ///< removes the temporary folder when commit() was not reached
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const std::string& path() const { return temporary_; }
  /// Writes MANIFEST.json (name, size, SHA-256 of each file), fsyncs everything, renames (replacing an old folder),
  /// fsyncs the parent. Error{storage}; an old folder is then still there, whole.
  void commit();

 private:
  std::string final_;
  std::string temporary_;
  bool committed_ = false;
};

/// "" when MANIFEST.json is there and every file has the stated size and hash; otherwise what is wrong.
std::string manifest_defect(const std::string& folder);

/// Removes a folder in one visible step: renamed out of sight, then deleted. One that does not exist is fine.
void remove_folder(const std::string& folder);

/// Removes the temporary files and folders (".<name>.tmp-…", ".<name>.old-…") that other processes left in `folder`; a
/// whole old folder whose replacement was cut short gets its name back. Call it only while holding the lock of the
/// output folder.
void remove_stale_temporaries(const std::string& folder);

/// Removes the temporary files of processes that no longer run, in a folder without a lock to which others may write now. (Of a
/// process on another machine that shares the folder nothing is known: its write then fails.)
void remove_dead_temporaries(const std::string& folder);

/// Exclusive use of an output folder (flock on <folder>/.lock, holding host, pid and start time).
/// Throws Error{locked} naming the holder.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
  std::string path_;
};

/// Error{locked} when a process holds the lock of `folder`. Only looks: the folder is not touched.
void refuse_locked_folder(const std::string& folder);

}  // namespace attune::files

// Writing that survives a crash: temporary name, fsync, rename, fsync of the folder. Also hashes and the run's lock.
#pragma once

#include <string>
#include <string_view>

namespace attune::files {

/// Whole file as bytes; Error{kind of caller's choice is data} with the path when unreadable.
std::string read_file(const std::string& path);
void write_file_atomically(const std::string& path, std::string_view content);
void copy_file_atomically(const std::string& from, const std::string& to);

std::string sha256_hex(std::string_view bytes);
/// Streams the file; hex digest.
std::string sha256_file(const std::string& path);

/// A folder that appears under `final_path` complete or not at all.
///   StagedFolder stage(path); …write files into stage.path()…; stage.commit();
class StagedFolder {
 public:
  explicit StagedFolder(std::string final_path);
  ~StagedFolder();  ///< removes the temporary folder when commit() was not reached
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const std::string& path() const { return temporary_; }
  /// Writes MANIFEST.json (name, size, SHA-256 of each file), fsyncs everything, renames (replacing an old folder), fsyncs the parent.
  void commit();

 private:
  std::string final_;
  std::string temporary_;
  bool committed_ = false;
};

/// "" when MANIFEST.json is there and every file has the stated size and hash; otherwise what is wrong.
std::string manifest_defect(const std::string& folder);

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

}  // namespace attune::files

#include "server/models_folder.h"

#include <algorithm>
#include <fstream>
#include <utility>
#include <vector>

#include "api/decode_network.h"
#include "api/model_document.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

namespace {

Error fault(const std::filesystem::path& path, const std::string& what) {
  return {ErrorCode::invalid_argument, path.string() + ": " + what, {}};
}

/// The .json files, in order of their names.
Result<std::vector<std::filesystem::path>> find_documents(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> documents;
  std::error_code failure;
  std::filesystem::directory_iterator items(folder, failure);
  for (; !failure && items != std::filesystem::directory_iterator(); items.increment(failure)) {
    const std::filesystem::path& path = items->path();
    std::error_code unreadable;
    const bool hidden = path.filename().string().starts_with('.');
    if (!hidden && path.extension() == ".json" && !items->is_directory(unreadable)) documents.push_back(path);
  }
  if (failure) return fault(folder, failure.message());
  std::sort(documents.begin(), documents.end());
  return documents;
}

Result<std::string> read_document(const std::filesystem::path& path, std::uint64_t bytes_max) {
  std::error_code failure;
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  if (failure) return fault(path, failure.message());
  if (size > bytes_max)
    return fault(path, "has more than " + std::to_string(bytes_max) + " bytes (model-body-bytes-max)");
  std::string text(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(text.data(), static_cast<std::streamsize>(size))) return fault(path, "can't be read");
  return text;
}

/// True where a network was made.
Result<bool> import_document(const std::filesystem::path& path, api::NetworkService& networks,
                             const api::Limits& limits) {
  const std::string name = path.stem().string();
  if (!api::is_valid_name(name)) return fault(path, "the file's name " + api::name_rule());
  if (networks.read(name).ok()) return false;
  const Result<std::string> text = read_document(path, limits.model_body_bytes_max);
  if (!text.ok()) return text.error();
  Result<api::ModelExport> model = api::read_model(*text, limits.network);
  if (model.ok()) {
    model->name = name;
    const auto imported = networks.import_model(name, std::nullopt, *std::move(model));
    if (imported.ok()) return true;
    return fault(path, imported.error().message);
  }
  std::string what = model.error().message;
  for (const core::FieldError& field : model.error().fields)
    what += "\n  " + field.pointer + " " + field.detail;
  return fault(path, what);
}

}  // namespace

Result<void> import_models(const std::filesystem::path& folder, api::NetworkService& networks,
                           const api::Limits& limits, const std::function<void(const std::string&)>& log) {
  const Result<std::vector<std::filesystem::path>> documents = find_documents(folder);
  if (!documents.ok()) return documents.error();
  if (documents->empty()) log(folder.string() + " has no model document (*.json)");
  std::string faults;
  for (const std::filesystem::path& path : *documents) {
    const Result<bool> made = import_document(path, networks, limits);
    if (!made.ok()) {
      faults += (faults.empty() ? "" : "\n") + made.error().message;
      continue;
    }
    log("network " + path.stem().string() +
        (*made ? " imported from " : " is there already; not imported again from ") + path.string());
  }
  if (!faults.empty()) return Error{ErrorCode::invalid_argument, faults, {}};
  return {};
}

}  // namespace mlpd::server

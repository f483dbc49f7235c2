// Counts every operator new of this binary: a warm training step and a warm prediction make none.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "core/generator.h"
#include "core/learner.h"

namespace {
std::atomic<std::size_t> allocations = 0;

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace mlpd::core {
namespace {

TEST(Allocation, WarmStepsAndPredictionsMakeNone) {
  struct Case {
    std::size_t units;
    std::uint64_t batch_size;
    bool shuffle;
    Dtype dtype;
  };
  for (const Case& c : {Case{3, 0, false, Dtype::float32}, Case{3, 32, false, Dtype::float64},
                        Case{3, 0, false, Dtype::float64}, Case{400, 0, false, Dtype::float32},
                        Case{400, 64, false, Dtype::float64}}) {
    NetworkSpec spec;
    spec.inputs = 2;
    spec.dtype = c.dtype;
    LayerSpec hidden, last;
    hidden.units = c.units;
    last.units = 2;
    last.activation = Activation::softmax;
    spec.layers = {hidden, hidden, last};
    spec.loss.kind = Loss::cross_entropy;
    SerialExecutor executor;
    auto learner = Learner::create(spec, nullptr, executor);
    ASSERT_TRUE(learner.ok());
    ASSERT_TRUE((*learner)
                    ->bind(std::make_shared<Dataset>(article_xor()), BatchPlan{c.batch_size, c.shuffle, {}})
                    .ok());
    (*learner)->advance(12, 1, [](const Record&) {});
    std::size_t before = allocations;
    (*learner)->advance(24, 1, [](const Record&) {});
    EXPECT_EQ(allocations - before, 0u) << c.units << " units, batches of " << c.batch_size;

    const auto snapshot = (*learner)->snapshot();
    const auto workspace = snapshot->make_workspace();
    const float narrow[] = {0.5f, -1.0f};
    const double wide[] = {0.5, -1.0};
    float narrow_out[2];
    double wide_out[2];
    const auto predict = [&] {
      if (c.dtype == Dtype::float32) {
        snapshot->predict(ConstMatrixView<float>(narrow, 1, 2), MatrixView<float>(narrow_out, 1, 2),
                          *workspace);
      } else {
        snapshot->predict(ConstMatrixView<double>(wide, 1, 2), MatrixView<double>(wide_out, 1, 2),
                          *workspace);
      }
    };
    predict();
    before = allocations;
    for (int i = 0; i < 10; ++i) predict();
    EXPECT_EQ(allocations - before, 0u) << c.units << " units";
  }
}

}  // namespace
}  // namespace mlpd::core

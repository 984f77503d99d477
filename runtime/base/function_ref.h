// A reference to something that can be called, for parameters that are used during the call only. It owns and allocates
// nothing, unlike std::function, which takes memory for every lambda that captures more than two pointers.
#ifndef INTSAM_RUNTIME_BASE_FUNCTION_REF_H_
#define INTSAM_RUNTIME_BASE_FUNCTION_REF_H_

#include <type_traits>

namespace intsam::internal {

template <class Signature>
class FunctionRef;

// What is referred to must outlive the reference; a lambda written as an argument lives until the call returns.
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class Callable>
    requires(!std::is_same_v<Callable, FunctionRef> && std::is_invocable_r_v<R, const Callable&, Args...>)
  FunctionRef(const Callable& callable)  // NOLINT: implicit by design
      : object_(&callable),
        call_([](const void* object, Args... args) -> R { return (*static_cast<const Callable*>(object))(args...); }) {}

  R operator()(Args... args) const { return call_(object_, args...); }

 private:
  const void* object_;
  R (*call_)(const void* object, Args... args);
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_FUNCTION_REF_H_

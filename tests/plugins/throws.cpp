// A plugin whose collect lets an exception out, which the header forbids.
#include "gz_plugin.h"

#include <stdexcept>

static gz_status init(const gz_host *, gz_str, void **, gz_error *) { return GZ_OK; }

static gz_status collect(void *, const gz_sink *, gz_error *) {
  throw std::runtime_error("out of collect");
}

static void destroy(void *) {}

static const gz_collector thrower = {
    sizeof(gz_collector), 100,     GZ_STR("throws"), GZ_STR("1"), GZ_STR("Throws."), GZ_STR(""),
    init,                 collect, nullptr,          destroy,     nullptr,
};

static const gz_collector *const collectors[] = {&thrower};

const gz_plugin_entry gz_plugin = {GZ_ABI_MAJOR, GZ_ABI_MINOR, sizeof(gz_plugin_entry), 1, collectors};

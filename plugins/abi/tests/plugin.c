/* A collector that fills every field with a value of its own, and says what it sees of the host's. */
#include "gz_plugin.h"

#include <stdio.h>

static int marker;

static gz_status init(const gz_host *host, gz_str config, void **instance, gz_error *error) {
  char line[512];
  const gz_root *root = host->get_extension(host, GZ_EXT_ROOT);
  if (host->get_extension(host, "gz.none/1")) return gz_fail(error, GZ_ERR_INTERNAL, "gz.none/1");
  snprintf(line, sizeof line,
           "host %u.%u %u %u %d cancelled %d; root %u %u %.*s; config %.*s; slot %u %u", host->abi_major,
           host->abi_minor, host->struct_size, host->reserved, *(int *)host->ctx,
           (int)host->cancelled(host), root->struct_size, root->reserved, (int)root->path.len,
           root->path.ptr, (int)config.len, config.ptr, error->struct_size, error->len);
  host->log(host, GZ_LOG_WARN, gz_str_of(line));
  host->request_collect(host);
  if (config.len != 2) return gz_fail(error, GZ_ERR_CONFIG, "not two bytes");
  *instance = &marker;
  return GZ_OK;
}

static gz_status collect(void *instance, const gz_sink *sink, gz_error *error) {
  static const gz_label labels[] = {{GZ_STR("device"), GZ_STR("sda")}, {GZ_STR("op"), GZ_STR("")}};
  gz_sample samples[2] = {
      {.name = GZ_STR("first_total"), .labels = labels, .label_count = 2, .value = 1.5,
       .unix_ns = 1700000000000000001, .kind = GZ_COUNTER},
      {.name = GZ_STR("second_bytes"), .value = -2.5, .kind = GZ_GAUGE},
  };
  char line[128];
#if GZ_ABI_MINOR >= 1
  samples[0].unit = gz_str_of("seconds");
  samples[1].unit = gz_str_of("bytes");
#endif
  if (instance != &marker) return gz_fail(error, GZ_ERR_PANIC, "not the instance");
  snprintf(line, sizeof line, "sink %u %u %d, emitted %d", sink->struct_size, sink->reserved,
           *(int *)sink->ctx, (int)sink->emit(sink, samples, 2, sizeof(gz_sample)));
  return gz_fail(error, GZ_NO_DATA, line);
}

/* The configuration as it is, 300 bytes of it, is the error's text. */
static gz_status reload(void *instance, gz_str config, gz_error *error) {
  char text[301];
  (void)instance;
  memcpy(text, config.ptr, 300);
  text[300] = 0;
  return gz_fail(error, GZ_ERR_UNAVAILABLE, text);
}

static void destroy(void *instance) { *(int *)instance += 1; }

static const void *get_extension(const char *id) {
  return strcmp(id, "test.marker/1") == 0 ? &marker : NULL;
}

static const gz_collector every_field = {
    .struct_size = sizeof(gz_collector),
    .interval_ms = 1234,
    .id = GZ_STR("every-field"),
    .version = GZ_STR("3.2.1"),
    .summary = GZ_STR("A summary, été"),
    .config_schema = GZ_STR("{\"type\": \"object\"}"),
    .init = init,
    .collect = collect,
    .reload = reload,
    .destroy = destroy,
    .get_extension = get_extension,
#if GZ_ABI_MINOR >= 1
    .added = GZ_STR("of tomorrow"),
#endif
};

static const gz_collector least = {
    .struct_size = sizeof(gz_collector),
    .id = GZ_STR("least"),
    .summary = GZ_STR("Only what has to be"),
    .init = init,
    .collect = collect,
    .destroy = destroy,
};

static const gz_collector *const collectors[] = {&every_field, &least};

const gz_plugin_entry gz_plugin = {
    .abi_major = GZ_ABI_MAJOR,
    .abi_minor = GZ_ABI_MINOR,
    .struct_size = sizeof(gz_plugin_entry),
    .collector_count = 2,
    .collectors = collectors,
#if GZ_ABI_MINOR >= 1
    .added = 77,
#endif
};

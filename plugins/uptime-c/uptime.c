/*
 * uptime.c - a gz-monitor plugin in C: how long the host has been up, how long its processors were
 * idle, and how many sessions are logged in.
 *
 *   uptime_seconds        seconds since boot, the time asleep included (proc_uptime(5))
 *   uptime_idle_seconds   seconds that all processors together were idle (proc_uptime(5))
 *   uptime_sessions       sessions of users, by kind: "terminal" or "remote" (utmp(5))
 *
 * Configuration: {"utmp": "/run/utmp"}, the file of who is logged in. Everything else is read below
 * the root that the host gives, so that tests can show the plugin another machine.
 */
#include "gz_plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <utmp.h>

struct uptime {
  char uptime_path[PATH_MAX];
  char utmp_path[PATH_MAX];
};

static gz_status fail(gz_error *error, gz_status status, const char *path, const char *why) {
  char text[PATH_MAX + 128];
  snprintf(text, sizeof text, "%s: %s", path, why);
  /* What is too long for the slot is cut there. */
  return gz_fail(error, status, text);
}

/*
 * Reads {} or {"utmp": "PATH"} into `path`. A plugin with more to configure links a JSON library; for
 * one key the few lines here do. Anything else is refused, so that a typing mistake is no silence.
 */
static gz_status configure(gz_str json, char *path, size_t size, gz_error *error) {
  static const char key[] = "{\"utmp\":\"";
  char text[PATH_MAX + sizeof key + 2];
  size_t len = 0;
  for (size_t i = 0; i < json.len && len + 1 < sizeof text; i++) {
    /* The host writes JSON without white space; a person who tries the plugin out may not; a path
     * has none here. */
    if (json.ptr[i] != ' ' && json.ptr[i] != '\n') text[len++] = json.ptr[i];
  }
  text[len] = 0;
  if (strcmp(text, "{}") == 0) return GZ_OK;
  len -= len >= 2 ? 2 : 0;
  if (strncmp(text, key, sizeof key - 1) != 0 || strcmp(text + len, "\"}") != 0 ||
      len < sizeof key || len - (sizeof key - 1) >= size || strchr(text, '\\')) {
    return gz_fail(error, GZ_ERR_CONFIG, "the only key is \"utmp\", a path");
  }
  len -= sizeof key - 1;
  memcpy(path, text + sizeof key - 1, len);
  path[len] = 0;
  /* A quote within: there are more keys than one. */
  if (strchr(path, '"')) return gz_fail(error, GZ_ERR_CONFIG, "the only key is \"utmp\", a path");
  return GZ_OK;
}

static gz_status init(const gz_host *host, gz_str config, void **instance, gz_error *error) {
  const gz_root *root = host->get_extension(host, GZ_EXT_ROOT);
  gz_str below = root ? root->path : gz_str_of("/");
  struct uptime *self = calloc(1, sizeof *self);
  gz_status status;
  if (!self) return gz_fail(error, GZ_ERR_INTERNAL, "out of memory");
  snprintf(self->uptime_path, PATH_MAX, "%.*s/proc/uptime", (int)below.len, below.ptr);
  snprintf(self->utmp_path, PATH_MAX, "%.*s/run/utmp", (int)below.len, below.ptr);
  status = configure(config, self->utmp_path, PATH_MAX, error);
  if (status != GZ_OK) {
    free(self);
    return status;
  }
  *instance = self;
  return GZ_OK;
}

/* Counts the sessions that utmp(5) has; a machine or a container may well have no such file. */
static int sessions(const char *path, double *terminal, double *remote) {
  struct utmp entry;
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  while (fread(&entry, sizeof entry, 1, file) == 1) {
    if (entry.ut_type != USER_PROCESS) continue;
    if (entry.ut_host[0] && entry.ut_host[0] != ':') {
      *remote += 1;
    } else {
      *terminal += 1;
    }
  }
  fclose(file);
  return 1;
}

static gz_status collect(void *instance, const gz_sink *sink, gz_error *error) {
  static const gz_label kinds[] = {{GZ_STR("kind"), GZ_STR("terminal")},
                                   {GZ_STR("kind"), GZ_STR("remote")}};
  struct uptime *self = instance;
  double up, idle;
  gz_sample samples[] = {
      {.name = GZ_STR("uptime_seconds"), .kind = GZ_GAUGE},
      {.name = GZ_STR("uptime_idle_seconds"), .kind = GZ_GAUGE},
      {.name = GZ_STR("uptime_sessions"), .labels = &kinds[0], .label_count = 1},
      {.name = GZ_STR("uptime_sessions"), .labels = &kinds[1], .label_count = 1},
  };
  size_t count = 2;
  int read;
  FILE *file = fopen(self->uptime_path, "r");
  if (!file) return fail(error, GZ_ERR_UNAVAILABLE, self->uptime_path, strerror(errno));
  read = fscanf(file, "%lf %lf", &up, &idle);
  fclose(file);
  if (read != 2) return fail(error, GZ_ERR_INTERNAL, self->uptime_path, "not two numbers");
  samples[0].value = up;
  samples[1].value = idle;
  if (sessions(self->utmp_path, &samples[2].value, &samples[3].value)) count = 4;
  sink->emit(sink, samples, count, sizeof samples[0]);
  return GZ_OK;
}

static void destroy(void *instance) { free(instance); }

static const gz_collector uptime = {
    .struct_size = sizeof(gz_collector),
    .interval_ms = 10000,
    .id = GZ_STR("uptime-c"),
    .version = GZ_STR("1.0.0"),
    .summary = GZ_STR("Uptime, idle time and logged-in sessions (the worked example in C)."),
    .config_schema = GZ_STR("{\"type\":\"object\",\"additionalProperties\":false,"
                            "\"properties\":{\"utmp\":{\"type\":\"string\"}}}"),
    .init = init,
    .collect = collect,
    .destroy = destroy,
};

static const gz_collector *const collectors[] = {&uptime};

const gz_plugin_entry gz_plugin = {
    .abi_major = GZ_ABI_MAJOR,
    .abi_minor = GZ_ABI_MINOR,
    .struct_size = sizeof(gz_plugin_entry),
    .collector_count = 1,
    .collectors = collectors,
};

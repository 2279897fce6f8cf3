/* A libnvidia-ml.so.1 of known values: GPU 0 has everything, GPU 1 next to nothing. FOLDER is where a
 * test says what is wrong: a file `lost0` or `lost1` there is a GPU that has fallen off the bus, `breaks0`
 * one that falls off while its temperature is read, `no-driver` a driver that is not loaded. With -DNO_GPU there is no GPU, with -DOLD a function is
 * missing. Signatures and values of constants are those of nvml.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef int nvmlReturn_t;
typedef void *nvmlDevice_t;
typedef unsigned int u32;
typedef unsigned long long u64;

enum { SUCCESS = 0, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15 };

static int is_there(const char *file) { return access(file, F_OK) == 0; }

static int index_of(nvmlDevice_t device) { return (int)(size_t)device - 1; }

/* What every function of a GPU says before anything else. */
static nvmlReturn_t state(nvmlDevice_t device) {
  const char *file = index_of(device) == 0 ? FOLDER "/lost0" : FOLDER "/lost1";
  return is_there(file) ? GPU_IS_LOST : SUCCESS;
}

/* The same for what GPU 1 does not have. */
static nvmlReturn_t on_first(nvmlDevice_t device) {
  nvmlReturn_t lost = state(device);
  return lost != SUCCESS ? lost : index_of(device) == 0 ? SUCCESS : NOT_SUPPORTED;
}

nvmlReturn_t nvmlInit_v2(void) {
  return is_there(FOLDER "/no-driver") ? DRIVER_NOT_LOADED : SUCCESS;
}
nvmlReturn_t nvmlShutdown(void) { return SUCCESS; }
nvmlReturn_t nvmlSystemGetDriverVersion(char *text, u32 size) {
  return snprintf(text, size, "550.54.15"), SUCCESS;
}
nvmlReturn_t nvmlDeviceGetCount_v2(u32 *count) {
#ifdef NO_GPU
  return *count = 0, SUCCESS;
#else
  return *count = 2, SUCCESS;
#endif
}
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(u32 index, nvmlDevice_t *device) {
  return *device = (nvmlDevice_t)(size_t)(index + 1), state(*device);
}
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *text, u32 size) {
  return snprintf(text, size, "GPU-%d", index_of(device)), state(device);
}
nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *text, u32 size) {
  return snprintf(text, size, index_of(device) == 0 ? "Tesla T4" : "GeForce"), state(device);
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, u32 rates[2]) {
  return rates[0] = 75, rates[1] = 50, on_first(device);
}
nvmlReturn_t nvmlDeviceGetEncoderUtilization(nvmlDevice_t device, u32 *percent, u32 *period_us) {
  return *percent = 25, *period_us = 167000, on_first(device);
}
nvmlReturn_t nvmlDeviceGetDecoderUtilization(nvmlDevice_t device, u32 *percent, u32 *period_us) {
  return *percent = 100, *period_us = 167000, on_first(device);
}

struct memory { u32 version; u64 total, reserved, free, used; };
nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, struct memory *memory) {
  if (memory->version != (sizeof *memory | 2u << 24)) return 25; /* ARGUMENT_VERSION_MISMATCH */
  memory->total = 16000, memory->reserved = 1000, memory->free = 5000, memory->used = 10000;
  return state(device);
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, u32 *celsius) {
  int breaks = index_of(device) == 0 && is_there(FOLDER "/breaks0");
  return *celsius = sensor == 0 ? 64 : 0, breaks ? GPU_IS_LOST : state(device);
}
nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, u32 *milliwatts) {
  return *milliwatts = 70500, on_first(device);
}
nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, u32 *milliwatts) {
  return *milliwatts = 72000, on_first(device);
}
#ifndef OLD
nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, u64 *millijoules) {
  return *millijoules = 1234500, on_first(device);
}
#endif
nvmlReturn_t nvmlDeviceGetNumFans(nvmlDevice_t device, u32 *count) {
  return *count = 2, on_first(device);
}
nvmlReturn_t nvmlDeviceGetFanSpeed_v2(nvmlDevice_t device, u32 fan, u32 *percent) {
  return *percent = 25 + 25 * fan, on_first(device);
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, int type, u32 *megahertz) {
  return *megahertz = 1000 + (u32)type, on_first(device);
}
nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, u64 *reasons) {
  return *reasons = 0x4 | 0x20, on_first(device); /* SwPowerCap, SwThermalSlowdown */
}
nvmlReturn_t nvmlDeviceGetSupportedClocksThrottleReasons(nvmlDevice_t device, u64 *reasons) {
  return *reasons = 0x1 | 0x4 | 0x20, on_first(device); /* and GpuIdle */
}

nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, int type, int counter, u64 *count) {
  return *count = (u64)(1 + type + 10 * counter), on_first(device);
}
nvmlReturn_t nvmlDeviceGetPcieThroughput(nvmlDevice_t device, int counter, u32 *kilobytes) {
  return *kilobytes = counter == 0 ? 500 : 700, on_first(device);
}
nvmlReturn_t nvmlDeviceGetPcieReplayCounter(nvmlDevice_t device, u32 *count) {
  return *count = 9, on_first(device);
}

struct process { u32 pid; u64 memory; u32 gpu_instance, compute_instance; };
static nvmlReturn_t give(nvmlDevice_t device, const struct process *all, u32 count, u32 *room,
                         struct process *out) {
  nvmlReturn_t outcome = on_first(device);
  u32 had = *room;
  if (outcome != SUCCESS) return outcome;
  *room = count;
  if (had < count) return INSUFFICIENT_SIZE;
  memcpy(out, all, count * sizeof *all);
  return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, u32 *count,
                                                     struct process *out) {
  static const struct process all[] = {
      {10, 300, -1u, -1u}, {11, 500, -1u, -1u}, {12, -1ull, -1u, -1u}, {13, 100, -1u, -1u}};
  return give(device, all, 4, count, out);
}
nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, u32 *count,
                                                      struct process *out) {
  static const struct process all[] = {{11, 500, -1u, -1u}};
  return give(device, all, 1, count, out);
}

/* Runs an om once: ./infer MODEL.om INPUT.bin... ; writes output_0.bin, output_1.bin, ... into the current folder.
 *
 * The inputs are the files that `torch2om inputs DIR` writes, one for each input, in the om's order.
 * Build on the board: gcc infer.c -o infer -I$ASCEND_HOME_PATH/include -L$ASCEND_HOME_PATH/lib64 -lascendcl
 */
#include <acl/acl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST 64 /* inputs or outputs */

/* One side of the model: its buffers on the device, as many as it has inputs (or outputs). */
typedef struct {
    aclmdlDataset *dataset;
    aclDataBuffer *buffers[MOST];
    void *memory[MOST];
    size_t sizes[MOST];
    size_t count;
} Side;

/* Leave with the call and its error code: `torch2om explain CODE` says what it means. */
static void need(aclError code, const char *call) {
    if (code != ACL_SUCCESS) {
        fprintf(stderr, "%s failed: %d\n", call, (int)code);
        exit(1);
    }
}

static void add_buffer(Side *side, size_t size) {
    size_t place = side->count++;
    side->sizes[place] = size;
    need(aclrtMalloc(&side->memory[place], size, ACL_MEM_MALLOC_HUGE_FIRST), "aclrtMalloc");
    side->buffers[place] = aclCreateDataBuffer(side->memory[place], size);
    need(aclmdlAddDatasetBuffer(side->dataset, side->buffers[place]), "aclmdlAddDatasetBuffer");
}

/* Copy a file to the device; it must have exactly as many bytes as the input. */
static void feed(Side *inputs, size_t place, const char *path) {
    size_t size = inputs->sizes[place];
    unsigned char *bytes = malloc(size + 1);
    FILE *file = fopen(path, "rb");
    size_t found = file == NULL || bytes == NULL ? 0 : fread(bytes, 1, size + 1, file);
    if (found != size) {
        fprintf(stderr, "%s does not have the %zu bytes of input %zu\n", path, size, place);
        exit(1);
    }
    fclose(file);
    need(aclrtMemcpy(inputs->memory[place], size, bytes, size, ACL_MEMCPY_HOST_TO_DEVICE), "aclrtMemcpy");
    free(bytes);
}

static void save(Side *outputs, size_t place) {
    size_t size = outputs->sizes[place];
    unsigned char *bytes = malloc(size);
    char path[32];
    snprintf(path, sizeof path, "output_%zu.bin", place);
    FILE *file = fopen(path, "wb");
    if (file == NULL || bytes == NULL) {
        fprintf(stderr, "%s cannot be written\n", path);
        exit(1);
    }
    need(aclrtMemcpy(bytes, size, outputs->memory[place], size, ACL_MEMCPY_DEVICE_TO_HOST), "aclrtMemcpy");
    fwrite(bytes, 1, size, file);
    fclose(file);
    free(bytes);
    printf("%s: %zu bytes\n", path, size);
}

static void release(Side *side) {
    for (size_t place = 0; place < side->count; place++) {
        aclDestroyDataBuffer(side->buffers[place]);
        aclrtFree(side->memory[place]);
    }
    aclmdlDestroyDataset(side->dataset);
}

int main(int argc, char **argv) {
    uint32_t model;
    Side inputs = {.count = 0}, outputs = {.count = 0};
    if (argc < 3) {
        fprintf(stderr, "usage: infer MODEL.om INPUT.bin...\n");
        return 2;
    }
    need(aclInit(NULL), "aclInit");
    need(aclrtSetDevice(0), "aclrtSetDevice");
    need(aclmdlLoadFromFile(argv[1], &model), "aclmdlLoadFromFile");
    aclmdlDesc *description = aclmdlCreateDesc();
    need(aclmdlGetDesc(description, model), "aclmdlGetDesc");
    size_t wanted = aclmdlGetNumInputs(description), made = aclmdlGetNumOutputs(description);
    if (wanted != (size_t)argc - 2 || wanted > MOST || made > MOST) {
        fprintf(stderr, "the om has %zu inputs and %zu outputs\n", wanted, made);
        return 1;
    }
    inputs.dataset = aclmdlCreateDataset();
    outputs.dataset = aclmdlCreateDataset();
    for (size_t place = 0; place < wanted; place++) {
        add_buffer(&inputs, aclmdlGetInputSizeByIndex(description, place));
        feed(&inputs, place, argv[place + 2]);
    }
    for (size_t place = 0; place < made; place++) {
        add_buffer(&outputs, aclmdlGetOutputSizeByIndex(description, place));
    }
    need(aclmdlExecute(model, inputs.dataset, outputs.dataset), "aclmdlExecute");
    for (size_t place = 0; place < made; place++) {
        save(&outputs, place);
    }
    release(&inputs);
    release(&outputs);
    aclmdlDestroyDesc(description);
    need(aclmdlUnload(model), "aclmdlUnload");
    need(aclrtResetDevice(0), "aclrtResetDevice");
    need(aclFinalize(), "aclFinalize");
    return 0;
}

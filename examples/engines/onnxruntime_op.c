/* onnxruntime_op.c - actc as a custom operator of ONNX Runtime: domain "actc", operator "Activation", with the attribute
   `function` (a name of the C table) and, if wanted, `parameters` (floats).
     cc -shared -fPIC onnxruntime_op.c -I ORT_INCLUDE $(pkg-config --cflags --libs actc) -o actc_op.so
   then options.register_custom_ops_library("actc_op.so") in Python. It needs onnxruntime_c_api.h, no library. */
#include <actc.h>
#include <onnxruntime_c_api.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        OrtStatus *failed = (call);                                                                                    \
        if (failed) return failed;                                                                                     \
    } while (0)

typedef struct kernel {
    const OrtApi *api;
    const actc_activation *row;
    size_t count; /* of the parameters given; 0: the defaults */
    double parameters[4];
} kernel;

static OrtStatus *create(const struct OrtCustomOp *op, const OrtApi *api, const OrtKernelInfo *info, void **result)
{
    char name[64];
    float given[4];
    size_t length = sizeof name, count = 4;
    TRY(api->KernelInfoGetAttribute_string(info, "function", name, &length));
    const actc_activation *row = actc_find(name);
    if (!row) return api->CreateStatus(ORT_INVALID_ARGUMENT, "actc has no such function");
    OrtStatus *absent = api->KernelInfoGetAttributeArray_float(info, "parameters", given, &count);
    if (absent) api->ReleaseStatus(absent), count = 0;
    if (count && count != row->parameter_count)
        return api->CreateStatus(ORT_INVALID_ARGUMENT, "another number of parameters than the function has");
    kernel *k = malloc(sizeof *k);
    if (!k) return api->CreateStatus(ORT_FAIL, "no memory");
    k->api = api, k->row = row, k->count = count;
    for (size_t i = 0; i < count; i++) k->parameters[i] = given[i];
    *result = k;
    (void)op;
    return NULL;
}

static int dtype_of(ONNXTensorElementDataType type)
{
    switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16: return ACTC_F16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16: return ACTC_BF16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: return ACTC_F32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE: return ACTC_F64;
    default: return -1;
    }
}

static OrtStatus *compute(void *state, OrtKernelContext *context)
{
    const kernel *k = state;
    const OrtApi *api = k->api;
    const OrtValue *x;
    OrtValue *y;
    OrtTensorTypeAndShapeInfo *info;
    ONNXTensorElementDataType type;
    int64_t shape[16];
    size_t rank, n;
    void *data, *out[1];
    TRY(api->KernelContext_GetInput(context, 0, &x));
    TRY(api->GetTensorTypeAndShape(x, &info));
    OrtStatus *failed = api->GetTensorElementType(info, &type);
    if (!failed) failed = api->GetDimensionsCount(info, &rank);
    if (!failed && rank > 16) failed = api->CreateStatus(ORT_INVALID_ARGUMENT, "more than 16 dimensions");
    if (!failed) failed = api->GetDimensions(info, shape, rank);
    if (!failed) failed = api->GetTensorShapeElementCount(info, &n);
    api->ReleaseTensorTypeAndShapeInfo(info);
    if (failed) return failed;
    if (dtype_of(type) < 0) return api->CreateStatus(ORT_INVALID_ARGUMENT, "not a type that actc computes");
    TRY(api->KernelContext_GetOutput(context, 0, shape, rank, &y));
    TRY(api->GetTensorMutableData((OrtValue *)x, &data));
    TRY(api->GetTensorMutableData(y, &out[0]));
    const void *in[] = {data};
    actc_apply(k->row, ACTC_FORWARD, (enum actc_dtype)dtype_of(type), in, out, n, k->count ? k->parameters : NULL);
    return NULL;
}

static void destroy(void *state) { free(state); }
static const char *name_of(const struct OrtCustomOp *op) { return (void)op, "Activation"; }
static const char *provider(const struct OrtCustomOp *op) { return (void)op, NULL; } /* the CPU */
static size_t one(const struct OrtCustomOp *op) { return (void)op, 1; }
static int one_version(const struct OrtCustomOp *op) { return (void)op, 1; }
static ONNXTensorElementDataType any_type(const struct OrtCustomOp *op, size_t i)
{
    return (void)op, (void)i, ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}
static OrtCustomOpInputOutputCharacteristic required(const struct OrtCustomOp *op, size_t i)
{
    return (void)op, (void)i, INPUT_OUTPUT_REQUIRED;
}
static OrtMemType plain_memory(const struct OrtCustomOp *op, size_t i) { return (void)op, (void)i, OrtMemTypeDefault; }

enum { VERSION = 17 }; /* of the API: the first one with CreateKernelV2 is 16 */
static const OrtCustomOp activation = {
    .version = VERSION,
    .GetName = name_of,
    .GetExecutionProviderType = provider,
    .GetInputType = any_type,
    .GetInputTypeCount = one,
    .GetOutputType = any_type,
    .GetOutputTypeCount = one,
    .GetInputCharacteristic = required,
    .GetOutputCharacteristic = required,
    .GetInputMemoryType = plain_memory,
    .GetStartVersion = one_version,
    .GetEndVersion = one_version,
    .CreateKernelV2 = create,
    .KernelComputeV2 = compute,
    .KernelDestroy = destroy,
};

EXPORT OrtStatus *RegisterCustomOps(OrtSessionOptions *options, const OrtApiBase *base)
{
    const OrtApi *api = base->GetApi(VERSION);
    static OrtCustomOpDomain *domain; /* sessions share it, and it lives as long as they do */
    if (!api) return NULL;
    if (!domain) {
        TRY(api->CreateCustomOpDomain("actc", &domain));
        TRY(api->CustomOpDomain_Add(domain, &activation));
    }
    return api->AddCustomOpDomain(options, domain);
}

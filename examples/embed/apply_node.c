/* apply_node.c - libactc for Node through Node-API: valueAndDerivative(name, Float32Array) gives two Float32Arrays.
     cc -shared -fPIC apply_node.c -I NODE/include/node $(pkg-config --cflags --libs actc) -o actc.node */
#include <actc.h>
#include <node_api.h>

static napi_value throw_it(napi_env env, const char *message)
{
    napi_throw_type_error(env, NULL, message);
    return NULL;
}

static napi_value new_floats(napi_env env, size_t n, void **data)
{
    napi_value buffer, array;
    if (napi_create_arraybuffer(env, n * sizeof(float), data, &buffer) ||
        napi_create_typedarray(env, napi_float32_array, n, buffer, 0, &array))
        return NULL;
    return array;
}

static napi_value value_and_derivative(napi_env env, napi_callback_info info)
{
    napi_value arguments[2], result, part;
    size_t count = 2, n;
    char name[64];
    napi_typedarray_type type;
    const void *in[1];
    void *x, *out[2];
    napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
    if (count < 2 || napi_get_value_string_utf8(env, arguments[0], name, sizeof name, NULL) ||
        napi_get_typedarray_info(env, arguments[1], &type, &n, &x, NULL, NULL) || type != napi_float32_array)
        return throw_it(env, "expected a name and a Float32Array");
    const actc_activation *row = actc_find(name);
    if (!row) return throw_it(env, "no such function");
    in[0] = x;
    napi_create_array_with_length(env, 2, &result);
    for (uint32_t i = 0; i < 2; i++) {
        if (!(part = new_floats(env, n, &out[i]))) return throw_it(env, "no memory");
        napi_set_element(env, result, i, part);
    }
    actc_apply(row, ACTC_VALUE_AND_DERIVATIVE | ACTC_EXACT, ACTC_F32, in, out, n, NULL);
    return result;
}

NAPI_MODULE_INIT()
{
    napi_value function;
    napi_create_function(env, NULL, 0, value_and_derivative, NULL, &function);
    napi_set_named_property(env, exports, "valueAndDerivative", function);
    return exports;
}

// apply.go - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded.
//
//	go build apply.go && ./apply gelu input.f32 output.f32
package main

/*
#cgo pkg-config: actc
#include <actc.h>
#include <stdlib.h>

// Go may not hand over arrays of its own pointers, so C makes them.
static int value_and_derivative(const actc_activation *f, const float *x, float *y, float *d, size_t n)
{
	const void *in[] = {x};
	void *out[] = {y, d};
	return actc_apply(f, ACTC_VALUE_AND_DERIVATIVE | ACTC_EXACT, ACTC_F32, in, out, n, NULL);
}
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"unsafe"
)

// ValueAndDerivative returns f and f' of every x, with default parameters.
func ValueAndDerivative(name string, x []float32) (y, d []float32, err error) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	f := C.actc_find(c)
	if f == nil {
		return nil, nil, fmt.Errorf("%s: no such function", name)
	}
	y, d = make([]float32, len(x)), make([]float32, len(x))
	if len(x) > 0 { // &x[0] of nothing panics
		C.value_and_derivative(f, (*C.float)(&x[0]), (*C.float)(&y[0]), (*C.float)(&d[0]), C.size_t(len(x)))
	}
	return y, d, nil
}

func run(name, input, output string) error {
	raw, err := os.ReadFile(input)
	if err != nil {
		return err
	}
	x := make([]float32, len(raw)/4)
	if err := binary.Read(bytes.NewReader(raw), binary.LittleEndian, x); err != nil {
		return err
	}
	y, d, err := ValueAndDerivative(name, x)
	if err != nil {
		return err
	}
	var both bytes.Buffer
	binary.Write(&both, binary.LittleEndian, append(y, d...))
	return os.WriteFile(output, both.Bytes(), 0o666)
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

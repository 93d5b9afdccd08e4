// apply.rs - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded.
//   rustc --edition 2021 -O apply.rs -L LIBDIR && LD_LIBRARY_PATH=LIBDIR ./apply gelu input.f32 output.f32
use std::ffi::{c_char, c_int, c_void, CString};
use std::{env, error::Error, fs, ptr};

mod ffi {
    use super::*;
    #[repr(C)]
    pub struct Activation([u8; 0]); // only ever behind a pointer
    #[link(name = "actc")]
    extern "C" {
        pub fn actc_find(name: *const c_char) -> *const Activation;
        pub fn actc_apply(f: *const Activation, pass: c_int, dtype: c_int, input: *const *const c_void,
                          output: *const *mut c_void, n: usize, parameters: *const f64) -> c_int;
    }
    pub const VALUE_AND_DERIVATIVE: c_int = 3;
    pub const EXACT: c_int = 256;
    pub const F32: c_int = 2;
}

/// A row of the table. The library never frees or changes it, and every function is reentrant.
#[derive(Clone, Copy)]
pub struct Function(&'static ffi::Activation);

impl Function {
    pub fn find(name: &str) -> Option<Function> {
        let name = CString::new(name).ok()?;
        unsafe { ffi::actc_find(name.as_ptr()).as_ref() }.map(Function)
    }

    /// f and f' at default parameters; panics unless all slices are of one length.
    pub fn value_and_derivative(&self, x: &[f32], y: &mut [f32], d: &mut [f32]) {
        assert!(x.len() == y.len() && x.len() == d.len(), "slices of different lengths");
        let (input, output) = ([x.as_ptr().cast()], [y.as_mut_ptr().cast(), d.as_mut_ptr().cast()]);
        let pass = ffi::VALUE_AND_DERIVATIVE | ffi::EXACT;
        let status = unsafe {
            ffi::actc_apply(self.0, pass, ffi::F32, input.as_ptr(), output.as_ptr(), x.len(), ptr::null())
        };
        assert_eq!(status, 0);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, input, output] = &arguments[..] else { return Err("usage: apply NAME INPUT OUTPUT".into()) };
    let function = Function::find(name).ok_or_else(|| format!("{name}: no such function"))?;

    let x: Vec<f32> = fs::read(input)?.chunks_exact(4).map(|b| f32::from_ne_bytes(b.try_into().unwrap())).collect();
    let mut both = vec![0.0; 2 * x.len()];
    let (y, d) = both.split_at_mut(x.len());
    function.value_and_derivative(&x, y, d);
    fs::write(output, both.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>())?;
    Ok(())
}

! apply.f90 - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded.
!   gfortran apply.f90 $(pkg-config --libs actc) -o apply && ./apply gelu input.f32 output.f32
program apply
    use, intrinsic :: iso_c_binding
    implicit none
    integer(c_int), parameter :: value_and_derivative = 3, exact = 256, f32 = 2
    interface
        function actc_find(name) bind(c)
            import
            character(kind=c_char), intent(in) :: name(*)
            type(c_ptr) :: actc_find
        end function
        function actc_apply(row, pass, dtype, in, out, n, parameters) bind(c)
            import
            type(c_ptr), value :: row, parameters
            integer(c_int), value :: pass, dtype
            type(c_ptr), intent(in) :: in(*), out(*)
            integer(c_size_t), value :: n
            integer(c_int) :: actc_apply
        end function
    end interface
    real(c_float), allocatable, target :: x(:), y(:), d(:)
    character(len=1024) :: name, input, output
    type(c_ptr) :: row
    integer :: unit, bytes

    if (command_argument_count() /= 3) error stop "usage: apply NAME INPUT OUTPUT"
    call get_command_argument(1, name)
    call get_command_argument(2, input)
    call get_command_argument(3, output)
    row = actc_find(trim(name) // c_null_char)
    if (.not. c_associated(row)) error stop "no such function"

    open (newunit=unit, file=input, access="stream", form="unformatted", status="old", action="read")
    inquire (unit, size=bytes)
    allocate (x(bytes / 4), y(bytes / 4), d(bytes / 4))
    read (unit) x
    close (unit)

    if (actc_apply(row, ior(value_and_derivative, exact), f32, [c_loc(x)], [c_loc(y), c_loc(d)], &
                   size(x, kind=c_size_t), c_null_ptr) /= 0) error stop "no such pass"

    open (newunit=unit, file=output, access="stream", form="unformatted", status="replace", action="write")
    write (unit) y, d
    close (unit)
end program

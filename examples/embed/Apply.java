// Apply.java - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded. JDK 22 or later:
//   java --enable-native-access=ALL-UNNAMED Apply.java NAME INPUT OUTPUT libactc.so
import static java.lang.foreign.ValueLayout.*;

import java.lang.foreign.*;
import java.lang.invoke.MethodHandle;
import java.nio.file.*;

public class Apply {
    static final int VALUE_AND_DERIVATIVE = 3, EXACT = 256, F32 = 2;

    public static void main(String[] arguments) throws Throwable {
        String name = arguments[0];
        Path input = Path.of(arguments[1]), output = Path.of(arguments[2]), library = Path.of(arguments[3]);
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup actc = SymbolLookup.libraryLookup(library, arena);
            Linker linker = Linker.nativeLinker();
            MethodHandle find = linker.downcallHandle(actc.find("actc_find").orElseThrow(),
                FunctionDescriptor.of(ADDRESS, ADDRESS));
            MethodHandle apply = linker.downcallHandle(actc.find("actc_apply").orElseThrow(),
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));

            MemorySegment row = (MemorySegment) find.invokeExact(arena.allocateFrom(name));
            if (row.equals(MemorySegment.NULL)) throw new IllegalArgumentException(name + ": no such function");

            MemorySegment x = arena.allocateFrom(JAVA_BYTE, Files.readAllBytes(input));
            long n = x.byteSize() / Float.BYTES;
            MemorySegment both = arena.allocate(JAVA_FLOAT, 2 * n);
            MemorySegment in = arena.allocate(ADDRESS), out = arena.allocate(ADDRESS, 2);
            in.set(ADDRESS, 0, x);
            out.setAtIndex(ADDRESS, 0, both);
            out.setAtIndex(ADDRESS, 1, both.asSlice(n * Float.BYTES));
            int status = (int) apply.invokeExact(row, VALUE_AND_DERIVATIVE | EXACT, F32, in, out, n, MemorySegment.NULL);
            if (status != 0) throw new IllegalArgumentException("no such pass");
            Files.write(output, both.toArray(JAVA_BYTE));
        }
    }
}

import Fuzzing
import Glibc

#if FUZZING
  /// What libFuzzer calls: it has the `main` of this program when `Scripts/fuzz` builds it.
  private let target: FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
      preconditionFailure("FUZZ_TARGET names none of \(FuzzTarget.allCases)")
    }
    return target
  }()

  @_cdecl("LLVMFuzzerTestOneInput")
  public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
#else
  /// Without libFuzzer: runs single inputs, such as one that made a fault, in a debugger.
  @main enum Fuzz {
    static func main() {
      let words = CommandLine.arguments.dropFirst()
      guard let target = words.first.flatMap({ FuzzTarget(rawValue: $0) }), words.count > 1 else {
        let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")
        return stop("usage: fuzz \(names) FILE…")
      }
      for path in words.dropFirst() {
        guard let input = read(path) else { return stop("fuzz: \(path) cannot be read") }
        print("\(path): \(target.run(input) ? "understood" : "refused")")
      }
    }

    private static func read(_ path: String) -> [UInt8]? {
      guard let file = fopen(path, "r") else { return nil }
      defer { fclose(file) }
      var bytes: [UInt8] = []
      while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(byte)) }
      return bytes
    }

    private static func stop(_ text: String) {
      print(text)
      exit(2)
    }
  }
#endif

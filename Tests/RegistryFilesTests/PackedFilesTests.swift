import DeviceIdentity
import Foundation
import RegistryFiles
import Simulation
import Testing

/// Files that come packed: made with Python's own modules, gzip and zipfile.
struct PackedFilesTests {
  private static let text = "imei,status\n352099001761481,stolen\n352099001761499,lost\n"

  /// How a file is packed, in Python; `data` is the list, `name` the file to be written.
  private static let packings = [
    "open(name, 'wb').write(data)",
    "gzip.open(name, 'wb').write(data)",
    "open(name, 'wb').write(gzip.compress(data[:20]) + gzip.compress(data[20:]))",
    "open(name, 'wb').write(gzip.compress(data) + bytes(512))",
    "one(zipfile.ZIP_DEFLATED, 'list.csv')",
    "one(zipfile.ZIP_STORED, 'list.csv')",
    "many({'folder/': b'', '__MACOSX/._list.csv': b'x', 'folder/list.csv': data})",
    "many({'other.csv': b'imei\\n', 'File.csv': data})",
    "streamed('list.csv')",
    "commented('list.csv')",
    "large('list.csv')",
  ]

  private static let program = """
    import gzip, io, sys, zipfile
    name, data = sys.argv[1], sys.argv[2].encode()
    class Stream(io.RawIOBase):
      def __init__(self): self.file = open(name, 'wb')
      def writable(self): return True
      def write(self, bytes): return self.file.write(bytes)
      def seekable(self): return False
    def one(method, member):
      with zipfile.ZipFile(name, 'w', method) as z: z.writestr(member, data)
    def many(members):
      with zipfile.ZipFile(name, 'w', zipfile.ZIP_DEFLATED) as z:
        for member, bytes in members.items(): z.writestr(member, bytes)
    def streamed(member):
      with zipfile.ZipFile(Stream(), 'w', zipfile.ZIP_DEFLATED) as z: z.writestr(member, data)
    def commented(member):
      with zipfile.ZipFile(name, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr(member, data)
        z.comment = b'PK' * 200
    def large(member):
      with zipfile.ZipFile(name, 'w', zipfile.ZIP_DEFLATED) as z:
        with z.open(member, 'w', force_zip64=True) as f: f.write(data)
    """

  @Test(arguments: packings)
  func `a file is read the same however it is packed`(packing: String) async throws {
    try await withFolder { folder in
      let path = try await pack(Self.text, packing, folder)
      let reading = try read(path)
      #expect(reading.rows.map(\.imei.description) == ["35209900176148", "35209900176149"])
      #expect(reading.refusals.isEmpty)
      #expect(reading.report.bytes == Self.text.utf8.count)
    }
  }

  @Test(arguments: [
    ("many({'a.csv': data, 'b.csv': data})", RegistryFileError.Code.zipMembers(count: 2)),
    ("many({})", .zipMembers(count: 0)),
    ("many({str(n): data for n in range(1001)})", .unsupportedZip(.tooManyMembers)),
    ("one(zipfile.ZIP_BZIP2, 'list.csv')", .unsupportedZip(.method)),
    (
      "one(zipfile.ZIP_DEFLATED, 'x'); b = bytearray(open(name, 'rb').read()); "
        + "b[b.rfind(b'PK\\x01\\x02') + 8] |= 1; open(name, 'wb').write(b)",
      .unsupportedZip(.encrypted)
    ),
    ("open(name, 'wb').write(gzip.compress(data)[:-9])", .damagedArchive),
    ("open(name, 'wb').write(gzip.compress(data) + b'more')", .damagedArchive),
    (
      "one(zipfile.ZIP_DEFLATED, 'x'); b = open(name, 'rb').read(); "
        + "open(name, 'wb').write(b[:-30])", .damagedArchive
    ),
    (
      "one(zipfile.ZIP_STORED, 'x'); b = open(name, 'rb').read(); "
        + "open(name, 'wb').write(b.replace(b'stolen', b'STOLEN'))", .damagedArchive
    ),
  ])
  func `a packed file that cannot be read says why`(
    packing: String, code: RegistryFileError.Code
  ) async throws {
    try await withFolder { folder in
      let path = try await pack(Self.text, packing, folder)
      let error = #expect(throws: RegistryFileError.self) { _ = try read(path) }
      #expect(error?.code == code)
      #expect(error?.fileName == path)
    }
  }

  @Test(arguments: ["gzip.open(name, 'wb').write(data * 400000)", "data *= 400000; one(8, 'x')"])
  func `a bomb is stopped by its length and by how much longer it gets`(
    packing: String
  ) async throws {
    try await withFolder { folder in
      let path = try await pack(Self.text, packing, folder)
      var limits = FileLimits()
      limits.freelyRestoredBytes = 1 << 16
      let expanding = #expect(throws: RegistryFileError.self) { try read(path, limits) }
      #expect(expanding?.code == .expandsTooMuch(limit: limits.mostExpansion))
      limits = FileLimits()
      limits.mostRestoredBytes = 1 << 16
      let long = #expect(throws: RegistryFileError.self) { try read(path, limits) }
      #expect(long?.code == .restoresTooMuch(limitBytes: 1 << 16))
    }
  }

  /// Every byte of a small zip file, changed: it is read right, refused, or gives other lines; it
  /// never ends the program, and what it gives has the right check value.
  @Test func `a mangled zip file gives the same bytes or none`() async throws {
    try await withFolder { folder in
      let path = try await pack(Self.text, "one(zipfile.ZIP_DEFLATED, 'x')", folder)
      let whole = try Data(contentsOf: URL(filePath: path))
      let expected = try read(path).rows
      var refused = 0
      for place in whole.indices {
        for change in [UInt8(1), 0xFF] {
          var bytes = whole
          bytes[place] ^= change
          try bytes.write(to: URL(filePath: path))
          // Without its first bytes it is no zip file but text.
          guard place > 3 else { continue }
          do {
            #expect(try read(path).rows == expected, "byte \(place) ^ \(change)")
          } catch is RegistryFileError {
            refused += 1
          }
        }
      }
      #expect(refused > whole.count)
    }
  }

  @Test func `a file that is packed twice is not read`() async throws {
    try await withFolder { folder in
      let path = try await pack(
        Self.text, "open(name, 'wb').write(gzip.compress(gzip.compress(data)))", folder)
      #expect(throws: RegistryFileError.self) { try read(path) }
    }
  }

  // MARK: - What the tests are made of

  private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = try temporaryDirectory("packed")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await body(folder)
  }

  private func pack(_ text: String, _ packing: String, _ folder: String) async throws -> String {
    let path = "\(folder)/file.dat"
    let result = try await Program.run(
      "/usr/bin/python3", ["-c", "\(Self.program)\n\(packing)\n", path, text], in: folder)
    #expect(result.status == 0, "\(result.errors)")
    return path
  }

  @discardableResult
  private func read(
    _ path: String, _ limits: FileLimits = FileLimits()
  ) throws -> Reading<StolenReport> {
    let asOf = try #require(firstOfMarch2026)
    var file = try StolenListFile(
      .opened(path: path, limits: limits), fileName: path, options: .init(asOf: asOf))
    var lines: [FileLine<StolenReport>] = []
    while let line = try file.next() { lines.append(line) }
    return Reading(lines: lines, report: file.report)
  }
}

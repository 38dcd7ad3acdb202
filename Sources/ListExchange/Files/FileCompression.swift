/// How a data file is packed.
package enum FileCompression: String, Hashable, Sendable, CaseIterable {
  case none, gzip
}

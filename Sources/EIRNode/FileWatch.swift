import Logging
import Synchronization

/// Looks whether files have changed, and hands their contents to whoever uses them: keys and
/// certificates are replaced without a restart. What makes no sense changes nothing.
struct FileWatch: Sendable {
  /// Between two looks.
  static let period = Duration.seconds(2)
  /// A key or a chain of certificates is a page; this is a book.
  static let longestBytes = 262_144

  let paths: [String]
  let what: String
  let logger: Logger
  /// Given the files' contents, in the order of ``paths``.
  let use: @Sendable ([String]) async throws(NodeError) -> Void
  let health = Health()

  /// Read by those who look at the node.
  final class Health: Sendable {
    private let state = Mutex<String?>(nil)

    /// Why the files cannot be used as they are now; nil while they can.
    var trouble: String? {
      get { state.withLock { $0 } }
      set { state.withLock { $0 = newValue } }
    }
  }

  static func read(_ paths: [String]) throws(NodeError) -> [String] {
    var texts: [String] = []
    for path in paths {
      guard let bytes = try SmallFile.content(of: path) else {
        throw NodeError(.file, "\(path) is not there")
      }
      guard bytes.count <= longestBytes, let text = String(validating: bytes, as: UTF8.self) else {
        throw NodeError(.file, "\(path) is no text of at most \(longestBytes) bytes")
      }
      texts.append(text)
    }
    return texts
  }

  /// Looks until the task is cancelled.
  ///
  /// - Parameter known: what is used already.
  func run(known: [String]) async {
    var known = known
    var trouble: NodeError?
    while !Task.isCancelled {
      do throws(NodeError) {
        let texts = try Self.read(paths)
        if texts != known {
          try await use(texts)
          known = texts
          logger.info("read again", metadata: ["what": "\(what)"])
        }
        trouble = nil
        health.trouble = nil
      } catch {
        // The same trouble is told once, not at every look.
        if error != trouble {
          logger.warning(
            "what was read before stays in use",
            metadata: ["what": "\(what)", "reason": "\(error)"])
        }
        trouble = error
        health.trouble = error.description
      }
      guard (try? await Task.sleep(for: Self.period)) != nil else { return }
    }
  }
}

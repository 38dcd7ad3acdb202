import Foundation

/// `Schema/exchange/openapi.yaml`, as `contract.py` beside it reads it.
struct Contract: Sendable {
  /// Of a request or an answer, with the schema that it is said to have.
  struct Example: Sendable {
    let place: String
    let mediaType: String
    let schema: JSON
    let value: JSON
  }

  struct Operation: Sendable {
    let method: String
    let path: String
    let description: JSON
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Schema/exchange")
  /// Of Debian: it has the packages that `Scripts/setup` installs.
  static let python = "/usr/bin/python3"
  static let methods: Set<String> = ["get", "put", "post", "delete", "patch", "head", "options"]

  let document: JSON

  /// Read once for all tests.
  static let shared = Result { try Contract() }

  private init() throws {
    document = try JSON(bytes: Self.run(["--json"]).output)
  }

  /// Runs `contract.py`.
  static func run(_ arguments: [String]) throws -> (status: Int32, output: Data) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: python)
    process.arguments = ["-W", "ignore", folder.appending(path: "contract.py").path] + arguments
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  static func text(_ file: String) throws -> String {
    try String(contentsOf: folder.appending(path: file), encoding: .utf8)
  }

  var operations: [Operation] {
    (document["paths"]?.object ?? [:]).flatMap { path, item in
      item.object.filter { Self.methods.contains($0.key) }.map { method, description in
        Operation(method: method.uppercased(), path: path, description: description)
      }
    }
  }

  func schema(_ name: String) -> JSON? { document["components"]?["schemas"]?[name] }

  /// What `$ref` leads to, or the node itself.
  func resolved(_ node: JSON) -> JSON {
    guard let reference = node["$ref"]?.text else { return node }
    let path = reference.dropFirst("#/".count).split(separator: "/")
    return resolved(path.reduce(document) { $0[String($1)] ?? .null })
  }

  /// Every answer that a response object describes, by operation and status.
  var responses: [(operation: Operation, status: String, response: JSON)] {
    operations.flatMap { operation in
      (operation.description["responses"]?.object ?? [:]).map { status, response in
        (operation, status, resolved(response))
      }
    }
  }

  var examples: [Example] {
    let bodies = operations.flatMap { operation in
      operation.description["requestBody"].map {
        examples(in: resolved($0), at: "\(operation.method) \(operation.path)")
      } ?? []
    }
    let answers = responses.flatMap { operation, status, response in
      examples(in: response, at: "\(operation.method) \(operation.path) \(status)")
    }
    return bodies + answers
  }

  private func examples(in message: JSON, at place: String) -> [Example] {
    (message["content"]?.object ?? [:]).flatMap { mediaType, form in
      let named = (form["examples"]?.object ?? [:]).compactMap { name, example in
        resolved(example)["value"].map { (name, $0) }
      }
      let single = form["example"].map { [("example", $0)] } ?? []
      return (named + single).map { name, value in
        Example(
          place: "\(place) \(name)", mediaType: mediaType, schema: form["schema"] ?? .null,
          value: value)
      }
    }
  }

  /// The components that a value of this schema is one of, or whose lines it holds.
  func names(of schema: JSON) -> [String] {
    if let reference = schema["$ref"]?.text {
      return [String(reference.split(separator: "/").last ?? "")]
    }
    let parts = ["anyOf", "oneOf", "allOf"].flatMap { schema[$0]?.array ?? [] }
    return (parts + (schema["items"].map { [$0] } ?? [])).flatMap { names(of: $0) }
  }
}

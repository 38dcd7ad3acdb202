import DeviceIdentity
import Glibc

/// The files of both operators while they are written.
final class SightingFiles {
  private let writers: [DumpWriter]
  var truth = SampleTruth()

  init(_ writers: [DumpWriter]) { self.writers = writers }

  /// In the file of the operator whose network saw it.
  func take(_ card: SeenCard, at operatorIndex: Int) throws(SimulationError) {
    try writers[operatorIndex].take(card)
  }

  func finish(_ imei: IMEI) throws(SimulationError) -> [SampleDump] {
    var dumps: [SampleDump] = []
    for writer in writers { dumps += try writer.finish(imei) }
    return dumps
  }
}

extension SampleSightings {
  static let correctedFolder = "corrected"

  /// Writes a month and the day after it for each operator, the month of the first operator once
  /// more below `corrected`, and `truth.json`, into the folder of the country, which must be there.
  package func write(
    to folder: String
  ) throws(SimulationError) -> (truth: SampleTruth, dumps: [SampleDump]) {
    let corrected = "\(folder)/\(Self.correctedFolder)"
    guard mkdir(corrected, 0o755) == 0 || errno == EEXIST else {
      throw SimulationError(.cannotWrite(path: corrected, errno: errno))
    }
    var writers: [DumpWriter] = []
    for index in country.operators.indices {
      writers.append(
        try DumpWriter(
          of: country, operatorIndex: index, firstDay: firstDay, dayCount: dayCount,
          folder: folder, correctedFolder: index == 0 ? Self.correctedFolder : nil))
    }
    let files = SightingFiles(writers)
    try writeOrdinary(files)
    try writePlanted(files)
    try writeInnocents(files)
    let neverReported = country.device(country.reportedDevice(country.stolenDeviceCount))
    let dumps = try files.finish(neverReported.imeis[0])
    try writeTruth(files.truth, dumps, to: "\(folder)/truth.json")
    return (files.truth, dumps)
  }
}
